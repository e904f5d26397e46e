#include "unclip/pipeline/clip_embedder.h"

#include <algorithm>
#include <cmath>

#include "unclip/image/decode.h"

namespace unclip::pipeline {
namespace {

/// Calls embed(first, last) for each batch and joins the rows.
template <class Embed>
torch::Tensor in_batches(size_t count, int64_t batch, Progress& progress, const Embed& embed) {
  std::vector<torch::Tensor> rows;
  for (size_t first = 0; first < count;) {
    throw_if_stopped();
    const size_t last = std::min(count, first + static_cast<size_t>(batch));
    rows.push_back(embed(first, last));
    progress.advance(static_cast<int64_t>(last - first));
    first = last;
  }
  return torch::cat(rows);
}

void check_input(size_t count, int64_t batch) {
  check(count > 0 && batch > 0, ErrorKind::usage, "nothing to embed: got ", count, " inputs in batches of ",
        batch);
}

}  // namespace

ClipEmbedder::ClipEmbedder(ClipModel model, torch::ScalarType dtype)
    : model_(std::move(model)), net_(load_clip(model_, dtype)) {}

torch::Tensor ClipEmbedder::embed_captions(const std::vector<std::string>& captions,
                                           int64_t batch,
                                           Progress& progress,
                                           std::vector<std::string>* warnings) {
  check_input(captions.size(), batch);
  check(model_.towers != clip::Towers::image, ErrorKind::checkpoint, model_.weights.string(),
        " holds CLIP's image tower only, which reads no captions");
  const torch::NoGradGuard no_grad;
  const text::Tokenizer tokenizer = load_tokenizer(model_);
  const int64_t context = model_.config.text.context_length;
  progress.begin("captions", static_cast<int64_t>(captions.size()));
  torch::Tensor result = in_batches(captions.size(), batch, progress, [&](size_t first, size_t last) {
    const text::Tokens tokens = tokenizer.tokenize(std::span(captions).subspan(first, last - first), context);
    for (size_t i = 0; warnings != nullptr && i < tokens.truncated.size(); ++i) {
      if (!tokens.truncated[i]) continue;
      warnings->push_back(join_text("the caption '", captions[first + i].substr(0, 40),
                                    "…' is longer than the model's ", context,
                                    " tokens: its end is not read"));
    }
    return net_->encode_text(tokens.ids, tokens.mask).z_t.to(torch::kFloat32);
  });
  progress.end();
  return result;
}

torch::Tensor ClipEmbedder::fit(const torch::Tensor& pixels) const {
  check(model_.towers != clip::Towers::text, ErrorKind::checkpoint, model_.weights.string(),
        " holds CLIP's text tower only, which sees no pictures");
  return image::preprocess(image::flatten_on(pixels), model_.preprocessing);
}

torch::Tensor ClipEmbedder::embed(std::span<const torch::Tensor> pictures) {
  const torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> inputs;
  for (const torch::Tensor& pixels : pictures) inputs.push_back(fit(pixels));
  return net_->encode_image(torch::cat(inputs)).to(torch::kFloat32);
}

torch::Tensor ClipEmbedder::embed_pictures(const std::vector<std::filesystem::path>& pictures,
                                           int64_t batch,
                                           Progress& progress) {
  check_input(pictures.size(), batch);
  const torch::NoGradGuard no_grad;
  progress.begin("pictures", static_cast<int64_t>(pictures.size()));
  torch::Tensor result = in_batches(pictures.size(), batch, progress, [&](size_t first, size_t last) {
    std::vector<torch::Tensor>
        inputs;  // each cut to the network's size at once: large pictures fit no memory
    for (size_t i = first; i < last; ++i) inputs.push_back(fit(image::read_picture(pictures[i]).pixels));
    return net_->encode_image(torch::cat(inputs)).to(torch::kFloat32);
  });
  progress.end();
  return result;
}

double ClipEmbedder::logit_scale() const {
  constexpr double kLearnedLimit = 100;  // Radford et al. 2021, §2.5
  return net_->logit_scale.defined() ? std::exp(net_->logit_scale.item<double>()) : kLearnedLimit;
}

}  // namespace unclip::pipeline
