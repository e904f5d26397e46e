#include "unclip/clip/clip.h"

#include <cmath>

namespace unclip::clip {
namespace {

constexpr int64_t kStemPatch = 4;

/// `Tower` is VisionConfig or TextConfig.
template <class Tower>
nn::TransformerConfig transformer_of(const Tower& t, nn::Activation activation) {
  return {.width = t.width,
          .layers = t.layers,
          .heads = t.heads,
          .activation = activation,
          .mlp_ratio = t.mlp_ratio,
          .norm_eps = t.norm_eps};
}

nn::Init width_init(int64_t width) { return nn::Init::normal(std::pow(static_cast<double>(width), -0.5)); }

int64_t patch_count(const VisionConfig& v) {
  return (v.image_size / v.patch_size) * (v.image_size / v.patch_size);
}

nn::Conv2d patch_convolution(const VisionConfig& v) {
  const bool stem = v.stem_channels > 0;
  const int64_t side = stem ? v.patch_size / kStemPatch : v.patch_size;
  return nn::Conv2d(stem ? v.stem_channels : 3, v.width, side,
                    nn::Conv2dOptions{.stride = side, .bias = false});
}

}  // namespace

void ClipConfig::validate() const {
  transformer_of(vision, activation).validate("clip.vision");
  transformer_of(text, activation).validate("clip.text");
  check(vision.patch_size > 0 && vision.image_size % vision.patch_size == 0, ErrorKind::config,
        "clip.vision: image_size ", vision.image_size, " is not divisible by patch_size ", vision.patch_size);
  check(vision.stem_channels == 0 || vision.patch_size % kStemPatch == 0, ErrorKind::config,
        "clip.vision: a two-convolution stem needs a patch_size divisible by ", kStemPatch, ", got ",
        vision.patch_size);
  check(vision.mean.size() == 3 && vision.std.size() == 3, ErrorKind::config,
        "clip.vision: mean and std need three values each, one per colour");
  check(text.vocab_size > 2 && text.context_length > 2, ErrorKind::config,
        "clip.text: vocab_size and context_length must exceed 2");
}

VisionTowerImpl::VisionTowerImpl(const ClipConfig& c)
    : patches(register_module("patches", patch_convolution(c.vision))),
      ln_pre(register_module("ln_pre", nn::LayerNorm(c.vision.width, c.vision.norm_eps))),
      transformer(register_module("transformer", nn::Transformer(transformer_of(c.vision, c.activation)))),
      ln_post(register_module("ln_post", nn::LayerNorm(c.vision.width, c.vision.norm_eps))),
      proj(
          register_module("proj",
                          nn::Linear(c.vision.width,
                                     c.embed_dim,
                                     nn::LinearOptions{.bias = false, .init = width_init(c.vision.width)}))) {
  if (c.vision.stem_channels > 0) {
    stem = register_module(
        "stem", nn::Conv2d(3, c.vision.stem_channels, kStemPatch, nn::Conv2dOptions{.stride = kStemPatch}));
  }
  class_embedding = make_parameter("class_embedding", {c.vision.width});
  positional_embedding = make_parameter("positional_embedding", {1 + patch_count(c.vision), c.vision.width});
}

void VisionTowerImpl::initialize(const NoiseKey& key) {
  nn::fill_parameter(class_embedding, width_init(class_embedding.size(0)), 1, key);
  nn::fill_parameter(positional_embedding, width_init(class_embedding.size(0)), 1,
                     {key.seed, key.stream, key.step + 1});
}

ImageFeatures VisionTowerImpl::forward(const Tensor& pictures) {
  Tensor x = pictures.to(compute_dtype);
  if (!stem.is_empty()) x = at::gelu(stem(x));
  x = patches(x).flatten(2).transpose(1, 2);  // [N, patches, width]
  const Tensor first = class_embedding.to(x.scalar_type()).expand({x.size(0), 1, x.size(2)});
  x = torch::cat({first, x}, 1) + positional_embedding.to(x.scalar_type());
  x = transformer(ln_pre(x), nn::TransformerContext{});
  return {.embedding = proj(ln_post(x.select(1, 0))), .hidden = x};
}

TextTowerImpl::TextTowerImpl(const ClipConfig& c)
    : token_embedding(register_module("token_embedding", nn::Embedding(c.text.vocab_size, c.text.width))),
      transformer(register_module("transformer", nn::Transformer(transformer_of(c.text, c.activation)))),
      ln_final(register_module("ln_final", nn::LayerNorm(c.text.width, c.text.norm_eps))),
      proj(register_module("proj",
                           nn::Linear(c.text.width,
                                      c.embed_dim,
                                      nn::LinearOptions{.bias = false, .init = width_init(c.text.width)}))),
      end_id_(c.text.end_id) {
  positional_embedding = make_parameter("positional_embedding", {c.text.context_length, c.text.width});
}

void TextTowerImpl::initialize(const NoiseKey& key) {
  nn::fill_parameter(positional_embedding, nn::Init::normal(0.01), 1, key);
}

nn::TextEncoding TextTowerImpl::forward(const Tensor& ids, const Tensor& mask) {
  const int64_t length = ids.size(1);
  check(length <= positional_embedding.size(0), ErrorKind::shape, "clip.text: got ", length,
        " tokens, the context has ", positional_embedding.size(0));
  Tensor x = (token_embedding(ids) + positional_embedding.slice(0, 0, length)).to(compute_dtype);
  x = ln_final(transformer(x, nn::TransformerContext{.mask = nn::causal_mask(length, ids.device())}));
  const Tensor end = end_id_ ? ids.eq(*end_id_).to(torch::kInt32).argmax(1) : ids.argmax(1);
  const Tensor index = end.view({-1, 1, 1}).expand({-1, 1, x.size(2)});
  return {.ids = ids, .mask = mask, .z_t = proj(x.gather(1, index).squeeze(1)), .hidden = x};
}

ClipImpl::ClipImpl(const ClipConfig& c, Towers towers) : config_(c) {
  c.validate();
  if (towers != Towers::text) visual = register_module("visual", VisionTower(c));
  if (towers != Towers::image) text = register_module("text", TextTower(c));
  if (towers == Towers::both) logit_scale = make_parameter("logit_scale", {});
}

void ClipImpl::initialize(const NoiseKey& /*key*/) {
  if (logit_scale.defined()) logit_scale.fill_(std::log(1.0 / 0.07));
}

void ClipImpl::set_compute_dtype(torch::ScalarType dtype) {
  if (!visual.is_empty()) visual->compute_dtype = dtype;
  if (!text.is_empty()) text->compute_dtype = dtype;
}

Tensor preprocess(const Tensor& pictures, const VisionConfig& config) {
  Tensor x = pictures.to(torch::kFloat32);
  if (x.size(2) != config.image_size || x.size(3) != config.image_size) {
    x = at::_upsample_bicubic2d_aa(x, {config.image_size, config.image_size}, false).clamp(-1, 1);
  }
  const auto channels = [&](const std::vector<double>& values) {
    return torch::tensor(values, torch::dtype(torch::kFloat32).device(x.device())).view({1, 3, 1, 1});
  };
  return ((x + 1) / 2 - channels(config.mean)) / channels(config.std);
}

Tensor normalized(const Tensor& embeddings) {
  const Tensor x = embeddings.to(torch::kFloat32);
  return x / x.norm(2, -1, true);
}

Tensor similarity_logits(const Tensor& image_embeddings,
                         const Tensor& text_embeddings,
                         const Tensor& logit_scale) {
  return logit_scale.to(torch::kFloat32).exp() *
         normalized(image_embeddings).matmul(normalized(text_embeddings).t());
}

Tensor contrastive_loss(const Tensor& logits_per_image) {
  const Tensor pairs =
      torch::arange(logits_per_image.size(0), torch::dtype(torch::kLong).device(logits_per_image.device()));
  return (at::cross_entropy_loss(logits_per_image, pairs) +
          at::cross_entropy_loss(logits_per_image.t(), pairs)) /
         2;
}

void clamp_logit_scale(ClipImpl& model) {
  const torch::NoGradGuard no_grad;
  model.logit_scale.clamp_max_(std::log(100.0));
}

}  // namespace unclip::clip
