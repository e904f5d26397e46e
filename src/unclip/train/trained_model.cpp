#include "unclip/train/trained_model.h"

#include "unclip/train/ar_prior_stage.h"
#include "unclip/train/clip_stage.h"
#include "unclip/train/decoder_stage.h"
#include "unclip/train/prior_stage.h"
#include "unclip/train/run_folder.h"
#include "unclip/train/upsampler_stage.h"

namespace unclip::train {
namespace fs = std::filesystem;
namespace {

/// The configuration of a run; "" if `folder` is none.
std::string run_config(const fs::path& folder) {
  const fs::path file = folder / "config.json";
  if (!fs::is_regular_file(file)) return "";
  std::string text = model::read_config_text(file);
  return stage_of(text).empty() ? "" : text;
}

template <class Run>
auto stored(const std::string& config, const fs::path& folder) {
  const auto run = config_from_json<Run>(config, (folder / "config.json").string());
  const model::WeightsSource averaged{.folder = RunFolder(folder).require_latest(),
                                      .file = "ema.safetensors"};
  return model::StoredNetwork{run.model, model::Weights{{averaged}}};
}

model::Model open_run(const std::string& config, const fs::path& folder) {
  const std::string stage = stage_of(config);
  model::Model model{.kind = "a run of train " + stage, .path = folder};
  model.manifest.stages[stage] = "";
  if (stage == "clip") {
    model.text.tokenizer = folder / "tokenizer";
    model::set_clip(stored<ClipRun>(config, folder), model);
  }
  if (stage == "prior") model.prior = stored<PriorRun>(config, folder);
  if (stage == "ar_prior") model.ar_prior = stored<ArPriorRun>(config, folder);
  if (stage == "decoder") model.decoder = stored<DecoderRun>(config, folder);
  if (stage == "upsampler") {
    const auto upsampler = stored<UpsamplerRun>(config, folder);
    model.upsamplers.push_back({join_text("upsampler_", upsampler.config.unet.size), upsampler});
  }
  return model;
}

}  // namespace

model::Model open_trained(const fs::path& folder, const fs::path& vocabulary) {
  const std::string config = run_config(folder);
  if (!config.empty()) return open_run(config, folder);
  check(model::is_model(folder), ErrorKind::io, "'", folder.string(),
        "' is neither a run nor a model directory: expected what `inspect` knows, or the folder of a run");
  return model::open_model(folder, vocabulary);
}

pipeline::ClipEncoder open_clip_encoder(const fs::path& folder,
                                        const fs::path& vocabulary,
                                        torch::ScalarType compute_dtype) {
  model::Model model = open_trained(folder, vocabulary);
  check(model.text_encoder && model.image_encoder, ErrorKind::checkpoint, "'", folder.string(),
        "' has no whole CLIP: expected a run of `train clip`, or a model with a text and an image encoder");
  const pipeline::NetworksOptions options{.dtype = compute_dtype};
  return pipeline::ClipEncoder(std::make_shared<pipeline::Networks>(std::move(model), options));
}

std::optional<clip::ClipConfig> clip_config_of(const model::Model& model) {
  if (model.clip) return model.clip->config;
  if (!model.text_encoder || !model.image_encoder) return std::nullopt;
  clip::ClipConfig config = model.text_encoder->config;
  config.vision = model.image_encoder->config.vision;
  return config;
}

void check_is_clips(const char* key, int64_t width, int64_t clips) {
  check(width == clips, ErrorKind::config, key, " is ", width, ", but CLIP's is ", clips);
}

}  // namespace unclip::train
