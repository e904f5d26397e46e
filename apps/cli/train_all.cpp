#include "apps/cli/train_all.h"

#include <algorithm>
#include <cmath>
#include <iostream>
#include <string>
#include <thread>
#include <utility>

#include "apps/cli/bundled_model.h"
#include "unclip/data/inspect.h"
#include "unclip/image/network.h"
#include "unclip/image/sheet.h"
#include "unclip/pipeline/unclip.h"
#include "unclip/train/held_out.h"
#include "unclip/train/stack.h"

namespace unclip::cli {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kDrawnAtTheEnd = 16;
constexpr int64_t kSheetSize = 64;

struct Settings {
  train::StackRequest request;
  std::string preset;
};

/// A preset's name, or a folder of one's own.
fs::path find_preset(const std::string& name) {
  if (fs::is_directory(name)) return name;
  fs::path bundled = bundled_configs() / name;
  check(fs::is_directory(bundled), ErrorKind::usage, "--preset is '", name,
        "', expected tiny, small, base, paper or a folder with clip.json, prior.json and decoder.json");
  return bundled;
}

int64_t core_count() { return std::max<int64_t>(1, std::thread::hardware_concurrency()); }

/// ", 64×64 to 1024×768": of the least and the most pixels.
std::string size_range(const data::DatasetReport& report) {
  if (report.sizes.empty()) return {};
  const auto pixels = [](const auto& entry) { return entry.first.first * entry.first.second; };
  const auto [least, most] = std::ranges::minmax_element(report.sizes, {}, pixels);
  const auto text = [](const auto& entry) {
    return std::to_string(entry.first.first) + "×" + std::to_string(entry.first.second);
  };
  return ", " + (least == most ? text(*least) : text(*least) + " to " + text(*most));
}

void tell_what_was_found(const data::DatasetReport& report) {
  std::cerr << report.samples << " pictures with " << report.captions << " captions ("
            << report.distinct_captions << " different)" << size_range(report);
  if (report.without_caption > 0) std::cerr << ", " << report.without_caption << " left out: no caption";
  if (report.duplicates > 0) std::cerr << ", " << report.duplicates << " duplicates";
  if (report.animated > 0) std::cerr << ", " << report.animated << " animated, the first frame is seen";
  if (report.transparent > 0) std::cerr << ", " << report.transparent << " with alpha, seen on white";
  if (const int64_t small = train::count_too_small(report); small > 0)
    std::cerr << ", " << small << " with a side of less than " << train::kSmallestSide
              << " pixels, too few to teach 64";
  std::cerr << '\n';
  if (report.damaged == 0) return;
  std::cerr << report.damaged << " damaged and left out:\n";
  for (const auto& entry : report.damage) std::cerr << "  " << entry.name << ": " << entry.reason << '\n';
}

/// "7 minutes", "5 hours", "6 days": as exact as such a forecast can be.
std::string rough_time(double minutes) {
  constexpr double kHour = 60, kDay = 24 * kHour;
  const auto [unit, name] = minutes > 2 * kDay    ? std::pair(kDay, " days")
                            : minutes > 2 * kHour ? std::pair(kHour, " hours")
                                                  : std::pair(1.0, " minutes");
  return std::to_string(static_cast<int64_t>(std::ceil(minutes / unit))) + name;
}

void tell_the_plan(const std::string& preset,
                   const train::PresetCard& card,
                   const train::Stack& stack,
                   const fs::path& from) {
  std::cerr << "preset " << preset << (card.summary.empty() ? "" : ": " + card.summary) << "\nstages: clip "
            << stack.clip.train.steps << " steps, prior " << stack.prior.train.steps << ", decoder "
            << stack.decoder.train.steps;
  for (const train::UpsamplerRun& run : stack.upsamplers)
    std::cerr << ", " << run.model.low_size << " to " << run.model.unet.size << " px " << run.train.steps;
  if (stack.upsamplers.empty()) std::cerr << "; no upsampler: the pictures are too small for one";
  std::cerr << '\n';
  if (card.core_minutes <= 0) return;
  const int64_t cores = core_count();
  std::cerr << "about " << rough_time(card.core_minutes / static_cast<double>(cores)) << " on " << cores
            << " cores";
  if (!from.empty())
    std::cerr << ", more where the networks of '" << from.string() << "' are larger than the preset's";
  std::cerr << "; Ctrl-C saves, the same command with --resume goes on\n";
}

/// Draws the first captions of the data: what a person looks at when training is over.
void draw_sheet(const train::StackRequest& request,
                const std::vector<std::string>& captions,
                Progress& progress) {
  pipeline::Unclip model(request.out, torch::kFloat32);
  const auto drawn = model.generate({.captions = captions,
                                     .seeds = train::first_seeds(static_cast<int64_t>(captions.size())),
                                     .sampling = {.size = kSheetSize}},
                                    progress);
  image::write_sheet(request.out / "sheet.png", drawn.pictures, {.columns = 4});
}

void train_all(Settings& settings, const Context& context) {
  train::StackRequest& request = settings.request;
  request.command = context.command_line;
  request.vocabulary = clip_vocabulary();
  if (!settings.preset.empty()) find_preset(settings.preset);
  const data::Dataset dataset = data::Dataset::open(request.data);
  const data::DatasetReport report = data::inspect(dataset, *context.progress);
  const std::string preset =
      settings.preset.empty() ? train::preset_for(report, core_count()) : settings.preset;
  const fs::path folder = find_preset(preset);
  if (!context.quiet) tell_what_was_found(report);
  train::check_trainable(report);
  train::Stack stack = train::read_stack(folder);
  train::fit_stack(stack, report, request.from, request.vocabulary);
  if (!context.quiet) tell_the_plan(preset, train::read_preset_card(folder), stack, request.from);
  request.observer = [&context](const std::string& stage, int64_t step, const std::string& verdict) {
    if (!context.quiet) std::cerr << "\n  " << stage << " step " << step << ": " << verdict << '\n';
  };
  train::train_stack(stack, request, *context.progress);

  std::vector<std::string> captions;
  for (int64_t i = 0; i < std::min(kDrawnAtTheEnd, dataset.size()); ++i)
    captions.push_back(dataset.captions(i).front());
  draw_sheet(request, captions, *context.progress);
  if (context.quiet) return;
  std::cerr << "the model is '" << request.out.string() << "', its first drawings are in '"
            << (request.out / "sheet.png").string() << "' (" << request.out.string()
            << "/runs may be deleted); draw with:\n  " << context.program << " generate \""
            << captions.front() << "\" --model " << request.out.string() << '\n';
}

}  // namespace

std::function<void()> declare_train_all(CLI::App& train, const Context& context) {
  auto settings = std::make_shared<Settings>();
  CLI::App& all =
      *train.add_subcommand("all", "train every stage in turn, from one folder of captioned pictures");
  train::StackRequest& r = settings->request;
  all.add_option("FOLDER", r.data, "pictures with captions: folders, shards or patterns")->required();
  all.add_option("--out", r.out, "the model directory; its runs lie in OUT/runs")->required();
  all.add_option("--val", r.validation,
                 "pictures held out for evaluation (default: one in twenty of FOLDER)");
  all.add_option(
      "--preset", settings->preset,
      "tiny, small, base, paper or a folder of configurations (default: by the number of pictures)");
  all.add_option("--from", r.from, "fine-tune this model, of any layout, instead of starting from nothing");
  all.add_flag("--resume", r.resume, "go on where an earlier call was stopped");
  return [&context, settings] { train_all(*settings, context); };
}

}  // namespace unclip::cli
