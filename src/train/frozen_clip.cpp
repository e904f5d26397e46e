#include "unclip/train/frozen_clip.h"

#include "unclip/nn/layer.h"
#include "unclip/pipeline/model_directory.h"
#include "unclip/train/clip_stage.h"
#include "unclip/train/run_folder.h"

namespace unclip::train {
namespace fs = std::filesystem;
namespace {

clip::Clip load_from_run(const RunFolder& run) {
  const fs::path config = run.path() / "config.json";
  clip::Clip model(config_from_json<ClipRun>(pipeline::read_config_text(config), config.string()).model);
  const fs::path weights = run.require_latest() / "ema.safetensors";
  io::load_state(*model, io::SafetensorsFile(weights).tensors(), weights.string());
  return model;
}

}  // namespace

nn::TextEncoding FrozenClip::encode_text(const std::vector<std::string>& captions) const {
  const torch::NoGradGuard no_grad;
  const auto tokens = tokenizer->tokenize(captions, model->config().text.context_length);
  return clip::Clip(model)->encode_text(tokens.ids, tokens.mask);
}

torch::Tensor FrozenClip::encode_image(const torch::Tensor& pictures) const {
  const torch::NoGradGuard no_grad;
  const torch::Tensor input = clip::preprocess(pictures, model->config().vision);
  return clip::Clip(model)->encode_image(input).to(torch::kFloat32);
}

FrozenClip load_frozen_clip(const fs::path& folder, torch::ScalarType compute_dtype) {
  FrozenClip result;
  if (fs::exists(folder / "model.json")) {
    const pipeline::ModelDirectory directory(folder);
    result.model = pipeline::load_stage<clip::Clip, clip::ClipConfig>(directory.stage("clip"));
  } else {
    check(fs::exists(folder / "config.json"), ErrorKind::io, "'", folder.string(),
          "' is neither a run of `train clip` nor a model directory");
    result.model = load_from_run(RunFolder(folder));
  }
  nn::freeze_parameters(*result.model);
  result.model->set_compute_dtype(compute_dtype);
  result.tokenizer = std::make_shared<text::Tokenizer>(text::Tokenizer::load(folder / "tokenizer"));
  result.null_text = result.encode_text({""});
  return result;
}

}  // namespace unclip::train
