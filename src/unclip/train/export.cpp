#include "unclip/train/export.h"

#include "unclip/io/file.h"
#include "unclip/model/manifest.h"
#include "unclip/train/ar_prior_stage.h"
#include "unclip/train/clip_stage.h"
#include "unclip/train/decoder_stage.h"
#include "unclip/train/prior_stage.h"
#include "unclip/train/run_folder.h"
#include "unclip/train/upsampler_stage.h"

namespace unclip::train {
namespace fs = std::filesystem;
namespace {

/// A run's stage name in the model directory and its model configuration.
struct StageConfig {
  std::string name;
  std::string json;
};

template <class Run>
StageConfig read_as(const std::string& text, const std::string& where) {
  const auto run = config_from_json<Run>(text, where);
  return {run.stage, config_to_json(run.model)};
}

StageConfig read_stage(const fs::path& run) {
  const fs::path file = run / "config.json";
  check(fs::exists(file), ErrorKind::io, "'", run.string(), "' is no run folder: it has no config.json");
  const std::string text = model::read_config_text(file);
  const std::string stage = stage_of(text);
  if (stage == "clip") return read_as<ClipRun>(text, file.string());
  if (stage == "prior") return read_as<PriorRun>(text, file.string());
  if (stage == "ar_prior") return read_as<ArPriorRun>(text, file.string());
  if (stage == "decoder") {
    StageConfig config = read_as<DecoderRun>(text, file.string());
    if (config_from_json<DecoderRun>(text, file.string()).model.inpaint) config.name += "_inpaint";
    return config;
  }
  check(stage == "upsampler", ErrorKind::config, file.string(), " belongs to no stage: 'stage' is '", stage,
        "'");
  StageConfig config = read_as<UpsamplerRun>(text, file.string());
  config.name =
      join_text(config.name, "_", config_from_json<UpsamplerRun>(text, file.string()).model.unet.size);
  return config;
}

void write_stage(const fs::path& folder,
                 const StageConfig& config,
                 const fs::path& checkpoint,
                 torch::ScalarType dtype) {
  fs::create_directories(folder);
  io::NamedTensors tensors = io::SafetensorsFile(checkpoint / "ema.safetensors").tensors();
  for (auto& [name, tensor] : tensors) {
    if (!name.starts_with("stats.")) tensor = tensor.to(dtype);  // statistics keep their precision
  }
  io::write_safetensors(folder / "model.safetensors", tensors, {{"stage", config.name}});
  io::write_file_atomically(folder / "config.json", config.json);
}

}  // namespace

void export_model(const ExportRequest& request) {
  std::map<std::string, std::pair<StageConfig, fs::path>> stages;
  for (const fs::path& run : request.runs) {
    const StageConfig config = read_stage(run);
    check(!stages.contains(config.name), ErrorKind::config, "two runs are of the stage '", config.name,
          "': name one");
    RunFolder(run).require_latest();
    stages[config.name] = {config, run};
  }
  model::Manifest manifest;
  if (!request.card.empty()) manifest = model::read_card(request.card);
  if (fs::exists(request.out / "model.json")) {
    const model::Manifest old = model::ModelDirectory(request.out).manifest();
    manifest.stages = old.stages;
    if (request.card.empty()) manifest = old;
  }
  for (const auto& [name, stage] : stages) {
    write_stage(request.out / name, stage.first, RunFolder(stage.second).require_latest(), request.dtype);
    manifest.stages[name] = name;
    if (name == "clip") {
      fs::create_directories(request.out / "tokenizer");
      text::Vocabulary::load(stage.second / "tokenizer").save(request.out / "tokenizer");
    }
  }
  model::write_manifest(request.out, manifest);
}

}  // namespace unclip::train
