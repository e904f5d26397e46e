#include "unclip/study/training.h"

#include <algorithm>

#include "unclip/base/shell_words.h"
#include "unclip/train/export.h"
#include "unclip/train/runs.h"

namespace unclip::study {
namespace fs = std::filesystem;
namespace {

constexpr double kWarmup = 0.06;   // share of the steps
constexpr double kAveraging = 20;  // the averaged weights forget the start by exp(−20)
constexpr double kLongestDecay = 0.9995;

/// What follows from the examined model and the number of steps, and what the order asks for.
std::vector<std::string> settings_of(const Lab& lab, const TrainingOrder& order) {
  const clip::ClipConfig& clip = lab.clip_config();
  const auto steps = static_cast<double>(order.steps);
  std::vector<std::string> settings{
      join_text("train.steps=", order.steps),
      join_text("train.evaluate_every=", order.steps),
      join_text("train.lr.warmup_steps=", std::max<int64_t>(1, std::llround(kWarmup * steps))),
      join_text("train.optimizer.ema_decay=", std::clamp(1 - kAveraging / steps, 0.5, kLongestDecay)),
      "train.checkpoint_minutes=2",
      join_text("train.seed=", lab.request().seed + 1),
      join_text("data.picture.size=", lab.side()),
      join_text("model.embed_dim=", clip.embed_dim)};
  if (order.stage == "decoder") {
    settings.push_back(join_text("model.unet.size=", lab.side()));
    settings.push_back(join_text("model.text.clip_width=", clip.text.width));
    settings.push_back(join_text("model.text.context_length=", clip.text.context_length));
  } else {
    settings.push_back(join_text("model.text_width=", clip.text.width));
  }
  if (order.stage == "prior") settings.push_back(join_text("model.text_context=", clip.text.context_length));
  settings.insert(settings.end(), order.settings.begin(), order.settings.end());
  return settings;
}

void run(const std::string& stage, const train::RunRequest& request, Progress& progress) {
  if (stage == "prior") {
    train::train_prior(request, progress);
  } else if (stage == "ar_prior") {
    train::train_ar_prior(request, progress);
  } else {
    train::train_decoder(request, progress);
  }
}

std::string command_of(const std::string& stage, const train::RunRequest& request) {
  return join_text("unclip train ", stage == "ar_prior" ? "ar-prior" : stage, " --config ",
                   quoted(request.config.string()), flag_text("--set", request.overrides), " --clip ",
                   quoted(request.clip.string()), flag_text("--data", request.data),
                   flag_text("--val", request.validation), " --out ", quoted(request.out.string()));
}

/// Where a run stands; none before its first checkpoint.
std::optional<train::Position> position_of(const fs::path& folder) {
  if (!fs::exists(folder)) return std::nullopt;
  const auto checkpoint = train::RunFolder(folder).load_latest();
  return checkpoint ? std::optional(checkpoint->position) : std::nullopt;
}

/// Lets `model` see a folder of the examined model under the same name.
void borrow(const fs::path& model, const std::string& name, const fs::path& folder) {
  fs::create_directory_symlink(fs::absolute(folder).lexically_normal(), model / name);
}

}  // namespace

TrainedRun train(const Lab& lab, const TrainingOrder& order) {
  const StudyRequest& study = lab.request();
  train::RunRequest request{.config = study.configs / (order.stage + ".json"),
                            .overrides = settings_of(lab, order),
                            .data = study.data,
                            .validation = study.validation.empty() ? study.test : study.validation,
                            .clip = study.model,
                            .out = lab.path("runs") / order.name,
                            .command = study.command,
                            .label = order.name};
  request.resume = fs::exists(request.out / "config.json");
  fs::create_directories(lab.path("runs"));
  auto position = position_of(request.out);
  if (!position || position->step < order.steps) {
    run(order.stage, request, lab.progress());
    position = position_of(request.out);
  }
  return {request.out, position->seconds, command_of(order.stage, request)};
}

fs::path assemble(const Lab& lab,
                  const std::string& name,
                  const TrainedRun& run,
                  const std::vector<std::string>& borrowed) {
  const fs::path target = lab.path("models") / name;
  if (fs::exists(target / "model.json")) return target;
  fs::remove_all(target);  // what an interruption left
  fs::path partial = target;
  partial += ".partial";
  fs::remove_all(partial);
  fs::create_directories(partial);
  const model::ModelDirectory examined(lab.request().model);
  model::Manifest manifest{.name = name, .version = "study", .stages = {}};
  for (const std::string& stage : borrowed) {
    borrow(partial, stage, examined.stage(stage));
    manifest.stages[stage] = stage;
  }
  borrow(partial, "tokenizer", examined.tokenizer());
  model::write_manifest(partial, manifest);
  train::export_model({.runs = {run.run}, .out = partial, .card = {}});
  fs::rename(partial, target);
  return target;
}

}  // namespace unclip::study
