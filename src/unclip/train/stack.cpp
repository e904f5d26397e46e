#include "unclip/train/stack.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "unclip/io/file.h"
#include "unclip/model/model.h"
#include "unclip/train/export.h"
#include "unclip/train/health.h"
#include "unclip/train/run_folder.h"
#include "unclip/train/runs.h"
#include "unclip/train/trained_model.h"

namespace unclip::train {
namespace fs = std::filesystem;
namespace {

constexpr int64_t kFewestPictures = 16;
constexpr int64_t kManyCores = 16;
constexpr int64_t kTinyPictures = 2000, kSmallPictures = 20000;  // the largest sets of these presets
constexpr double kFineTuningRate = 1.0 / 3.0;

template <class Config>
Config read(const fs::path& file) {
  check(fs::exists(file), ErrorKind::config, "the preset lacks '", file.string(), "'");
  return config_from_json<Config>(model::read_config_text(file), file.string());
}

/// Pictures whose shorter side has at least `side` pixels.
int64_t count_reaching(const data::DatasetReport& report, int64_t side) {
  int64_t count = 0;
  for (const auto& [size, samples] : report.sizes)
    if (std::min(size.first, size.second) >= side) count += samples;
  return count;
}

std::string stage_name(const UpsamplerRun& run) { return join_text("upsampler_", run.model.unet.size); }

/// Takes over the architecture of a stage, if the model that is started from has it.
template <class Run, class Config>
void take_architecture(Run& run, const std::optional<Config>& config) {
  if (!config) return;
  run.model = *config;
  run.train.optimizer.learning_rate *= kFineTuningRate;
}
template <class Run, class Config>
void take_architecture(Run& run, const std::optional<model::StoredNetwork<Config>>& stored) {
  if (stored) take_architecture(run, std::optional(stored->config));
}

bool has_stage(const model::Model& model, const std::string& name) {
  if (name == "clip") return clip_config_of(model).has_value();
  if (name == "prior") return model.prior.has_value();
  if (name == "decoder") return model.decoder.has_value();
  return model.find_upsampler(name) != nullptr;
}

int64_t count_held_out(const StackRequest& request) {
  const bool own = request.validation.empty();
  return data::Dataset::open(own ? request.data : request.validation,
                             {.part = own ? data::Part::held_out : data::Part::all})
      .size();
}

/// Before settings that follow from the data are compared: a folder with new pictures is no other
/// configuration.
void check_same_data(const StackRequest& request) {
  const RunFolder clip(request.out / "runs" / "clip");
  if (!fs::exists(clip.path() / "config.json")) return;
  const data::Part part = request.validation.empty() ? data::Part::training : data::Part::all;
  clip.check_same_data(record_of(data::Dataset::open(request.data, {.part = part})));
}

/// The new model's card. A fine-tuned model owes what its origin owes.
fs::path write_card(const StackRequest& request) {
  model::Manifest card;
  if (!request.from.empty()) card = open_trained(request.from, request.vocabulary).manifest;
  const std::string origin = card.name.empty() ? "" : " from '" + card.name + "'";
  const nlohmann::ordered_json json{{"name", fs::absolute(request.out).filename().string()},
                                    {"version", "1"},
                                    {"licence", card.licence},
                                    {"card", "Trained" + origin + " by: " + request.command},
                                    {"attribution", card.attribution},
                                    {"trained_on", card.trained_on}};
  const fs::path file = request.out / "runs" / "card.json";
  io::write_file_atomically(file, json.dump(2) + "\n");
  return file;
}

/// Trains the stages of one stack in their order.
class StackTrainer {
 public:
  StackTrainer(const StackRequest& request, Progress& progress)
      : request_(request),
        runs_(request.out / "runs"),
        held_out_(count_held_out(request)),
        progress_(progress) {
    if (!request.from.empty()) origin_ = open_trained(request.from, request.vocabulary);
  }

  text::Vocabulary tokenizer(int64_t vocabulary_size) {
    const fs::path folder = runs_ / "tokenizer";
    if (!fs::exists(folder / "vocab.json")) {
      if (request_.from.empty()) {
        train_tokenizer(request_.data, vocabulary_size, folder);
      } else {
        fs::create_directories(folder);
        text::Vocabulary::load(origin_->text.tokenizer).save(folder);
      }
    }
    return text::Vocabulary::load(folder);
  }

  /// Before anything is written.
  template <class Run>
  static void check_same_run(const fs::path& folder, const Run& run) {
    const auto stored = config_from_json<Run>(RunFolder(folder).stored_config(), folder.string());
    Run given = run;
    given.train.precision = stored.train.precision;  // the run's record says what was done
    check_same_config(config_to_json(stored), config_to_json(given), folder);
  }

  template <class Run>
  void stage(const std::string& name, const Run& run, void (*train)(const RunRequest&, Progress&)) {
    RunRequest run_request;
    run_request.out = runs_ / name;
    trained_.push_back(run_request.out);
    const bool started = fs::exists(run_request.out / "config.json");
    check(!started || request_.resume, ErrorKind::io, "'", request_.out.string(),
          "' already holds runs: add --resume to go on with them, or name another folder with --out");
    if (started) check_same_run(run_request.out, run);
    run_request.config = runs_ / (name + ".json");
    io::write_file_atomically(run_request.config, config_to_json(run));
    run_request.data = request_.data;
    run_request.validation = request_.validation;
    run_request.hold_out = request_.validation.empty();
    run_request.tokenizer = runs_ / "tokenizer";
    run_request.clip = runs_ / "clip";
    run_request.vocabulary = request_.vocabulary;
    if (origin_ && has_stage(*origin_, name)) run_request.from = request_.from;
    run_request.resume = started;
    run_request.command = request_.command;
    run_request.label = name;
    run_request.on_evaluation = observer(name, run.stage, run.train.steps);
    train(run_request, progress_);
  }

  const std::vector<fs::path>& trained() const { return trained_; }

 private:
  EvaluationObserver observer(const std::string& name, const std::string& stage, int64_t steps) {
    if (!request_.observer) return nullptr;
    return [this, name, stage, steps](int64_t step, const Metrics& metrics) {
      const double progress = static_cast<double>(step) / static_cast<double>(steps);
      for (const Verdict& verdict : judge(stage, metrics, progress, held_out_))
        request_.observer(name, step, verdict.text);
    };
  }

  const StackRequest& request_;
  fs::path runs_;
  int64_t held_out_;
  Progress& progress_;
  std::optional<model::Model> origin_{};  // that is started from
  std::vector<fs::path> trained_;
};

}  // namespace

Stack read_stack(const fs::path& preset) {
  check(fs::is_directory(preset), ErrorKind::io, "there is no preset '", preset.string(), "'");
  Stack stack{.clip = read<ClipRun>(preset / "clip.json"),
              .prior = read<PriorRun>(preset / "prior.json"),
              .decoder = read<DecoderRun>(preset / "decoder.json"),
              .upsamplers = {}};
  for (const auto& entry : fs::directory_iterator(preset)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("upsampler_") && name.ends_with(".json"))
      stack.upsamplers.push_back(read<UpsamplerRun>(entry.path()));
  }
  std::ranges::sort(stack.upsamplers, {}, [](const UpsamplerRun& run) { return run.model.unet.size; });
  return stack;
}

PresetCard read_preset_card(const fs::path& preset) {
  return fs::exists(preset / "preset.json") ? read<PresetCard>(preset / "preset.json") : PresetCard{};
}

int64_t count_too_small(const data::DatasetReport& report) {
  return report.samples - count_reaching(report, kSmallestSide);
}

std::string preset_for(const data::DatasetReport& report, int64_t cores) {
  if (report.samples <= kTinyPictures) return "tiny";
  return report.samples <= kSmallPictures || cores < kManyCores ? "small" : "base";
}

void check_trainable(const data::DatasetReport& report) {
  check(report.samples >= kFewestPictures, ErrorKind::data, "there are ", report.samples,
        " usable pictures with captions, expected at least ", kFewestPictures,
        ": add pictures (some hundreds make a model that one can use)");
  check(report.distinct_captions > 1, ErrorKind::data, "all ", report.samples,
        " pictures have the same caption: say of each what it shows");
  check(report.duplicates < report.samples - 1, ErrorKind::data, "all ", report.samples,
        " pictures are the same file: there is nothing to tell apart");
  const int64_t too_small = count_too_small(report);
  check(2 * too_small <= report.samples, ErrorKind::data, too_small, " of ", report.samples,
        " pictures have a side of less than ", kSmallestSide, " pixels: use larger pictures");
}

void fit_stack(Stack& stack,
               const data::DatasetReport& report,
               const fs::path& from,
               const fs::path& vocabulary) {
  stack.clip.data.batch_size = std::min(stack.clip.data.batch_size, report.samples / 2);
  std::erase_if(stack.upsamplers, [&](const UpsamplerRun& run) {
    return 2 * count_reaching(report, run.model.unet.size) < report.samples;
  });
  if (from.empty()) return;
  const model::Model origin = open_trained(from, vocabulary);
  take_architecture(stack.clip, clip_config_of(origin));
  take_architecture(stack.prior, origin.prior);
  take_architecture(stack.decoder, origin.decoder);
  for (UpsamplerRun& run : stack.upsamplers) {
    if (const auto* const upsampler = origin.find_upsampler(stage_name(run)))
      take_architecture(run, std::optional(upsampler->net.config));
  }
}

void train_stack(Stack stack, const StackRequest& request, Progress& progress) {
  check(request.resume || !fs::exists(request.out / "model.json"), ErrorKind::io, "'", request.out.string(),
        "' already holds a model: name another folder with --out");
  if (request.resume) check_same_data(request);
  StackTrainer trainer(request, progress);
  const text::Vocabulary vocabulary = trainer.tokenizer(stack.clip.model.text.vocab_size);
  stack.clip.model.text.vocab_size = vocabulary.size();  // few captions have fewer pairs to merge
  trainer.stage("clip", stack.clip, train_clip);
  trainer.stage("prior", stack.prior, train_prior);
  trainer.stage("decoder", stack.decoder, train_decoder);
  for (const UpsamplerRun& run : stack.upsamplers) trainer.stage(stage_name(run), run, train_upsampler);
  export_model({.runs = trainer.trained(),
                .out = request.out,
                .card = write_card(request),
                .dtype = torch::kBFloat16});
}

}  // namespace unclip::train
