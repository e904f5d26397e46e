#include "unclip/train/runs.h"

#include <sstream>

#include "unclip/io/file.h"
#include "unclip/model/manifest.h"
#include "unclip/text/tokenizer_trainer.h"
#include "unclip/train/ar_prior_stage.h"
#include "unclip/train/clip_stage.h"
#include "unclip/train/decoder_stage.h"
#include "unclip/train/first_weights.h"
#include "unclip/train/held_out.h"
#include "unclip/train/prior_stage.h"
#include "unclip/train/trainer.h"
#include "unclip/train/upsampler_stage.h"

namespace unclip::train {
namespace fs = std::filesystem;
namespace {

constexpr int64_t kMaxCaptionFile = int64_t{1} << 32;

template <class Run>
Run read_run(const RunRequest& request) {
  check(fs::exists(request.config), ErrorKind::io, "there is no configuration '", request.config.string(),
        "'");
  const std::string text = model::read_config_text(request.config);
  const std::string stage = stage_of(text);
  check(stage.empty() || stage == Run().stage, ErrorKind::config, request.config.string(),
        " configures the stage '", stage, "', expected '", Run().stage, "'");
  auto run = config_from_json<Run>(text, request.config.string());
  for (const std::string& setting : request.overrides) {
    const size_t equals = setting.find('=');
    check(equals != std::string::npos, ErrorKind::usage, "--set wants NAME=VALUE, got '", setting, "'");
    try {
      set_field(fields_of(run), setting.substr(0, equals), setting.substr(equals + 1));
    } catch (const Error& error) {
      fail(ErrorKind::usage, "--set ", setting, ": ", error.what());
    }
  }
  run.train.precision = resolved(run.train.precision);  // the run's record says what was done
  return run;
}

struct TrainingData {
  std::shared_ptr<const data::Dataset> training, validation;  // validation may be null
};

TrainingData open_data(const RunRequest& request, bool captions) {
  const auto open = [captions](const std::vector<std::string>& sources, data::Part part) {
    return std::make_shared<const data::Dataset>(
        data::Dataset::open(sources, {.require_captions = captions, .part = part}));
  };
  if (!request.validation.empty())
    return {open(request.data, data::Part::all), open(request.validation, data::Part::all)};
  if (!request.hold_out) return {open(request.data, data::Part::all), nullptr};
  auto held_out = open(request.data, data::Part::held_out);
  if (!has_readable(*held_out)) held_out = nullptr;  // few pictures: the damaged ones may be just these
  return {open(request.data, data::Part::training), held_out};
}

/// A new run folder, or an old one that was started with the same configuration and data.
template <class Run>
RunFolder prepare_folder(const RunRequest& request, const Run& run, const data::Dataset& training) {
  RunFolder folder(request.out);
  if (request.resume && fs::exists(request.out / "config.json")) {
    // Read as a configuration, so that settings which are newer than the run have their defaults.
    const auto stored = config_from_json<Run>(folder.stored_config(), (request.out / "config.json").string());
    check_same_config(config_to_json(stored), config_to_json(run), request.out);
    folder.check_same_data(record_of(training));
  } else {
    folder.create(config_to_json(run), request.command, record_of(training));
  }
  return folder;
}

struct Training {
  const TrainConfig& train;
  const data::LoaderConfig& loader;
  std::shared_ptr<const data::Dataset> dataset;
  data::Degradation degradation = nullptr;
};

void run_training(const RunRequest& request,
                  const RunFolder& folder,
                  Stage& stage,
                  const Training& settings,
                  Progress& progress) {
  const auto make_loader = [&](const data::LoaderState& start) {
    const data::LoaderSeed seed{.seed = static_cast<uint64_t>(settings.train.seed)};
    return std::make_unique<data::Loader>(settings.dataset, settings.loader, seed, start,
                                          settings.degradation);
  };
  Trainer({.stage = stage,
           .config = settings.train,
           .folder = folder,
           .make_loader = make_loader,
           .progress = progress,
           .label = request.label,
           .on_evaluation = request.on_evaluation})
      .run();
}

/// The captions of shards and folders, or the lines of a text file.
void add_captions(const std::string& source, text::TokenizerTrainer& trainer) {
  if (fs::path(source).extension() == ".txt" && fs::is_regular_file(source)) {
    std::istringstream lines(io::read_text(source, kMaxCaptionFile));
    for (std::string line; std::getline(lines, line);) trainer.add(line);
    return;
  }
  const data::Dataset dataset = data::Dataset::open(std::vector{source});
  for (int64_t i = 0; i < dataset.size(); ++i) {
    for (const std::string& caption : dataset.captions(i)) trainer.add(caption);
  }
}

/// Trains a stage that learns from a frozen CLIP.
template <class TheStage, class Run>
void train_on_clip(const RunRequest& request, Progress& progress) {
  const auto run = read_run<Run>(request);
  const TrainingData data = open_data(request, true);
  TheStage stage(run, open_clip_encoder(request.clip, request.vocabulary, compute_type(run.train.precision)),
                 data.validation);
  if (!request.from.empty())
    start_from(stage.network(), open_trained(request.from, request.vocabulary), run.stage);
  run_training(request, prepare_folder(request, run, *data.training), stage,
               {run.train, run.data, data.training}, progress);
}

}  // namespace

void train_tokenizer(const std::vector<std::string>& sources, int64_t vocabulary_size, const fs::path& out) {
  text::TokenizerTrainer trainer;
  for (const std::string& source : sources) add_captions(source, trainer);
  fs::create_directories(out);
  trainer.train({.vocabulary_size = vocabulary_size}).save(out);
}

void train_clip(const RunRequest& request, Progress& progress) {
  const auto run = read_run<ClipRun>(request);
  const auto tokenizer = std::make_shared<text::Tokenizer>(text::Tokenizer::load(request.tokenizer));
  const TrainingData data = open_data(request, true);
  check((run.teacher.weight > 0) == !request.teacher.empty(), ErrorKind::usage, "teacher.weight is ",
        run.teacher.weight,
        request.teacher.empty() ? ", but --teacher is missing: name its file"
                                : ", so --teacher has no effect: add --set teacher.weight=1");
  ClipStage stage(run, tokenizer, data.validation);
  if (!request.teacher.empty()) stage.learn_from(std::make_shared<Teacher>(request.teacher));
  if (!request.from.empty())
    start_from(stage.network(), open_trained(request.from, request.vocabulary), run.stage);
  const RunFolder folder = prepare_folder(request, run, *data.training);
  fs::create_directories(request.out / "tokenizer");
  tokenizer->vocabulary().save(request.out / "tokenizer");
  run_training(request, folder, stage, {run.train, run.data, data.training}, progress);
}

void train_prior(const RunRequest& request, Progress& progress) {
  train_on_clip<PriorStage, PriorRun>(request, progress);
}

void train_ar_prior(const RunRequest& request, Progress& progress) {
  train_on_clip<ArPriorStage, ArPriorRun>(request, progress);
}

void train_decoder(const RunRequest& request, Progress& progress) {
  train_on_clip<DecoderStage, DecoderRun>(request, progress);
}

void train_upsampler(const RunRequest& request, Progress& progress) {
  const auto run = read_run<UpsamplerRun>(request);
  const TrainingData data = open_data(request, false);
  UpsamplerStage stage(run, data.validation);
  const std::string name = join_text(run.stage, "_", run.model.unet.size);
  if (!request.from.empty())
    start_from(stage.network(), open_trained(request.from, request.vocabulary), name);
  run_training(request, prepare_folder(request, run, *data.training), stage,
               {run.train, run.data, data.training, UpsamplerStage::degradation(run.model)}, progress);
}

}  // namespace unclip::train
