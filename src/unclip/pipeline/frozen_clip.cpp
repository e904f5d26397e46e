#include "unclip/pipeline/frozen_clip.h"

#include "unclip/pipeline/model_directory.h"

namespace unclip::pipeline {

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

FrozenClip freeze(clip::Clip model, text::Tokenizer tokenizer, torch::ScalarType compute_dtype) {
  nn::freeze_parameters(*model);
  model->set_compute_dtype(compute_dtype);
  FrozenClip result{std::move(model), std::make_shared<text::Tokenizer>(std::move(tokenizer)), {}};
  result.null_text = result.encode_text({""});
  return result;
}

FrozenClip load_frozen_clip(const std::filesystem::path& folder, torch::ScalarType compute_dtype) {
  const ModelDirectory directory(folder);
  return freeze(load_stage<clip::Clip, clip::ClipConfig>(directory.stage("clip")),
                text::Tokenizer::load(directory.tokenizer()), compute_dtype);
}

}  // namespace unclip::pipeline
