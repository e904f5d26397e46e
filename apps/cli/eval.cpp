// `unclip eval`
#include <algorithm>
#include <cmath>
#include <iostream>
#include <sstream>

#include "apps/cli/bundled_model.h"
#include "apps/cli/flag_checks.h"
#include "apps/cli/sampling_flags.h"
#include "unclip/eval/evaluation.h"
#include "unclip/eval/inception.h"
#include "unclip/eval/report/plot.h"
#include "unclip/io/file.h"

namespace unclip::cli {
namespace fs = std::filesystem;
namespace {

constexpr double kMaxGuidance = 100;
constexpr int64_t kLargestSide = 4096;
constexpr const char* kDrawing = "Drawing";  // group of the flags that a drawing depends on
/// Of these, what matters to pictures that are there already, too.
const std::vector<std::string> kAlways{"--model", "--size", "--dtype"};

struct Settings {
  std::vector<std::string> pictures, real, data;
  std::string guidance;
  eval::EvalReference reference;
  eval::EvalRun run;
  SamplingFlags flags;
};

/// "1,2,3.5" -> scales in that order.
std::vector<double> guidance_scales(const std::string& text) {
  std::vector<double> scales;
  if (text.empty()) return scales;
  std::istringstream stream(text + ",");
  for (std::string part; std::getline(stream, part, ',');) {
    double scale = 0;
    const bool is_number = CLI::detail::lexical_cast(part, scale) && std::isfinite(scale);
    check(is_number && scale >= 0 && scale <= kMaxGuidance, ErrorKind::usage, "--guidance is '", text,
          "', expected numbers from 0 to 100 with commas between them, for instance 1,2,3");
    check(std::ranges::find(scales, scale) == scales.end(), ErrorKind::usage, "--guidance has ", part,
          " twice");
    scales.push_back(scale);
  }
  return scales;
}

/// The given flags of a drawing as text: what finished drawings are known by.
std::string sampling_settings(const CLI::App& app) {
  std::string result;
  for (const CLI::Option* option : app.get_options()) {
    if (option->count() > 0 && option->get_group() == kDrawing)
      result += option->get_name() + "=" + option->as<std::string>() + "\n";
  }
  return result;
}

void check_modes(const CLI::App& app, const Settings& settings) {
  const bool draws = settings.pictures.empty();
  check(draws || !settings.real.empty(), ErrorKind::usage,
        "--pictures needs --reference: the real pictures to compare with");
  check(!draws || settings.real.empty(), ErrorKind::usage,
        "--reference needs --pictures: the drawn pictures; a model is evaluated with --data");
  check(draws != settings.data.empty(), ErrorKind::usage,
        draws ? "eval needs --pictures with --reference, or --data to draw pictures for"
              : "--data is for pictures that a model draws; with --pictures give --reference alone");
  if (draws) return;
  for (const CLI::Option* option : app.get_options()) {
    const bool matters =
        option->get_group() != kDrawing || std::ranges::count(kAlways, option->get_name()) > 0;
    check(matters || option->count() == 0, ErrorKind::usage, option->get_name(),
          " has no effect on pictures that are there already");
  }
}

/// Error(io) unless the results can go to `folder`: it is new, or an interrupted evaluation's, or --force is
/// given.
void check_folder(const fs::path& folder, bool force) {
  check(!fs::exists(folder) || fs::is_directory(folder), ErrorKind::io, folder.string(),
        " is no folder; choose another name with -o");
  const bool is_done = fs::exists(folder / "results.json") || fs::exists(folder / "report.html");
  check(!is_done || force, ErrorKind::io, folder.string(),
        " holds results already; choose another folder with -o, or --force");
  const fs::path parent = fs::absolute(folder).lexically_normal().parent_path();
  check(fs::is_directory(parent), ErrorKind::io, "the folder ", parent.string(),
        " does not exist, create it first");
}

void print(const eval::Evaluation& evaluation, const fs::path& folder) {
  for (const eval::Point& point : evaluation.points) {
    const auto number = [](double value) { return eval::report::number_text(value); };
    const eval::Comparison& c = point.comparison;
    std::cout << point.name << ": FID " << number(c.frechet_distance) << "  KID "
              << number(c.kernel_distance.value) << "  precision " << number(c.precision.value) << "  recall "
              << number(c.recall.value);
    if (c.captions) {
      std::cout << "  CLIP score " << number(c.captions->clip_score.value) << "  R@1 "
                << number(c.captions->picture_r1.value);
    }
    for (const auto& [name, estimate] : c.probes) std::cout << "  " << name << ' ' << number(estimate.value);
    std::cout << '\n';
  }
  std::cout << (folder / "report.html").string() << '\n';
}

void evaluate(const CLI::App& app, Settings& settings, const Context& context) {
  check_modes(app, settings);
  settings.run.guidance = guidance_scales(settings.guidance);
  eval::EvalReference& reference = settings.reference;
  eval::EvalRun& run = settings.run;
  const bool draws = settings.pictures.empty();
  reference.real = draws ? settings.data : settings.real;
  reference.dtype = settings.flags.compute_dtype();
  if (reference.features.empty()) reference.features = settings.flags.model;
  reference.vocabulary = clip_vocabulary();
  if (reference.clip.empty() && fs::is_regular_file(reference.features) &&
      eval::is_inception(reference.features))
    reference.clip = settings.flags.model;
  const fs::path& folder = reference.folder = settings.flags.output;
  if (draws) {
    run.model = settings.flags.model;
    run.sampling = settings.flags.sampling();
    run.settings = sampling_settings(app);
  }
  reference.size = settings.flags.size;
  if (draws && !reference.size)
    reference.size = pipeline::default_size(model::open_model(settings.flags.model));
  check(!reference.size || (*reference.size >= 1 && *reference.size <= kLargestSide), ErrorKind::usage,
        "--size is '", reference.size.value_or(0), "', expected 1 to ", kLargestSide);
  check_folder(folder, settings.flags.force);
  const eval::Evaluation evaluation =
      draws ? eval::evaluate_model(reference, run, *context.progress)
            : eval::evaluate_pictures(reference, settings.pictures, *context.progress);
  fs::create_directories(folder);
  eval::save_features(folder / "real.safetensors", evaluation.real);
  io::write_file_atomically(folder / "report.html", eval::report_html(evaluation, context.command_line));
  const std::string results = eval::results_json(evaluation, context.command_line);
  io::write_file_atomically(folder / "results.json", results);
  for (const std::string& warning : evaluation.warnings) std::cerr << "unclip: note: " << warning << '\n';
  context.json ? void(std::cout << results) : print(evaluation, folder);
}

std::function<void()> declare(CLI::App& app, const Context& context) {
  auto settings = std::make_shared<Settings>();
  eval::EvalReference& reference = settings->reference;
  app.add_option("--pictures", settings->pictures,
                 "drawn pictures: shards, folders or patterns, or a feature file");
  app.add_option("--reference", settings->real, "real pictures to compare them with, or a feature file");
  app.add_option("--data", settings->data,
                 "instead: captioned real pictures, for whose captions the model draws");
  app.add_option(
      "--features", reference.features,
      "whose features to compare: a CLIP (our folder, Hugging Face's, OpenCLIP's, OpenAI's .pt; default: "
      "--model's) or the weights of pytorch-fid's Inception");
  app.add_option(
      "--clip", reference.clip,
      "another CLIP that judges captions (default: that of --features, or of --model if that is Inception)");
  app.add_option("--ratings", reference.ratings,
                 "CSV with file_name,rating: report what a linear probe of it says");
  app.add_option("--comparisons", reference.comparisons,
                 "CSV with better,worse (names of pictures): report what a linear probe of it says");
  app.add_option("--seed", reference.seed,
                 "seed of subsets, intervals, the choice of captions and the drawings")
      ->capture_default_str();
  auto& flags = settings->flags;
  const size_t before = app.get_options().size();
  flags.declare_settings(app);
  flags.declare_candidates(app);
  flags.declare_sampler(app);
  flags.declare_prior(app);
  app.add_option("--guidance", settings->guidance, "decoder guidance scales, for instance 1,2,3,4");
  app.add_option("--n", settings->run.n, "how many pictures to draw at each scale")
      ->check(between<int64_t>(4, 1000000))
      ->capture_default_str();
  const std::vector<CLI::Option*> options = app.get_options();
  for (size_t i = before; i < options.size(); ++i) options[i]->group(kDrawing);
  flags.declare_output(app, "evaluation");
  app.get_option("-o")->description("folder of report.html, results.json, drawn pictures and features");
  return [&app, &context, settings] { evaluate(app, *settings, context); };
}

}  // namespace

const Command kEval{"eval", "compare drawn pictures with real ones: FID, recall, CLIP score and more",
                    "  unclip eval --pictures drawn --reference real -o evaluation\n"
                    "  unclip eval --data 'shards/val-*.tar' --n 2000 --guidance 1,2,3,4 --size 64 -o sweep\n"
                    "  unclip eval --pictures drawn --reference real --features ViT-L-14.pt\n"
                    "  unclip eval --pictures drawn --reference real --features pt_inception.pth",
                    declare};

}  // namespace unclip::cli
