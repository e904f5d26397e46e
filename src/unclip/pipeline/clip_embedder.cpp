#include "unclip/pipeline/clip_embedder.h"

#include <algorithm>
#include <cmath>

#include "unclip/image/decode.h"

namespace unclip::pipeline {
namespace {

/// Calls embed(first, last) for each batch and joins the rows.
template <class Embed>
torch::Tensor in_batches(size_t inputs, int64_t batch, Progress& progress, const Embed& embed) {
  const auto count = static_cast<int64_t>(inputs);
  std::vector<torch::Tensor> rows;
  for (int64_t first = 0; first < count; first += batch) {
    throw_if_stopped();
    const int64_t last = std::min(count, first + batch);
    rows.push_back(embed(first, last));
    progress.advance(last - first);
  }
  return torch::cat(rows);
}

void check_input(size_t count, int64_t batch) {
  check(count > 0 && batch > 0, ErrorKind::usage, "nothing to embed: got ", count, " inputs in batches of ",
        batch);
}

}  // namespace

text::Tokens tokenize(const ClipModel& model,
                      std::span<const std::string> captions,
                      std::vector<std::string>* warnings) {
  check(model.towers != clip::Towers::image, ErrorKind::checkpoint, model.weights.string(),
        " holds CLIP's image tower only, which reads no captions");
  const int64_t context = model.config.text.context_length;
  text::Tokens tokens = load_tokenizer(model).tokenize(captions, context);
  for (size_t i = 0; warnings != nullptr && i < captions.size(); ++i) {
    if (!tokens.truncated[i]) continue;
    warnings->push_back(join_text("the caption '", captions[i].substr(0, 40),
                                  "…' is longer than the model's ", context, " tokens: its end is not read"));
  }
  return tokens;
}

torch::Tensor preprocess(const ClipModel& model, const torch::Tensor& pixels) {
  check(model.towers != clip::Towers::text, ErrorKind::checkpoint, model.weights.string(),
        " holds CLIP's text tower only, which sees no pictures");
  return image::preprocess(image::flatten_on(pixels), model.preprocessing);
}

torch::Tensor preprocess(const ClipModel& model, const std::filesystem::path& picture) {
  return preprocess(model, image::read_picture(picture).pixels);
}

ClipEmbedder::ClipEmbedder(ClipModel model, torch::ScalarType dtype)
    : model_(std::move(model)), net_(load_clip(model_, dtype)) {}

torch::Tensor ClipEmbedder::embed_captions(const std::vector<std::string>& captions,
                                           int64_t batch,
                                           Progress& progress,
                                           std::vector<std::string>* warnings) {
  check_input(captions.size(), batch);
  const torch::NoGradGuard no_grad;
  const text::Tokens tokens = tokenize(model_, captions, warnings);
  progress.begin("captions", static_cast<int64_t>(captions.size()));
  torch::Tensor result = in_batches(captions.size(), batch, progress, [&](int64_t first, int64_t last) {
    return net_->encode_text(tokens.ids.slice(0, first, last), tokens.mask.slice(0, first, last))
        .z_t.to(torch::kFloat32);
  });
  progress.end();
  return result;
}

torch::Tensor ClipEmbedder::embed(std::span<const torch::Tensor> pictures) {
  const torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> inputs;
  for (const torch::Tensor& pixels : pictures) inputs.push_back(preprocess(model_, pixels));
  return net_->encode_image(torch::cat(inputs)).to(torch::kFloat32);
}

torch::Tensor ClipEmbedder::embed_pictures(const std::vector<std::filesystem::path>& pictures,
                                           int64_t batch,
                                           Progress& progress) {
  check_input(pictures.size(), batch);
  const torch::NoGradGuard no_grad;
  progress.begin("pictures", static_cast<int64_t>(pictures.size()));
  torch::Tensor result = in_batches(pictures.size(), batch, progress, [&](int64_t first, int64_t last) {
    std::vector<torch::Tensor> inputs;  // each is small at once: large pictures fit no memory
    for (int64_t i = first; i < last; ++i)
      inputs.push_back(preprocess(model_, pictures[static_cast<size_t>(i)]));
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
