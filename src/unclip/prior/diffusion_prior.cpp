#include "unclip/prior/diffusion_prior.h"

namespace unclip::prior {
namespace {

constexpr int64_t kExtraPositions = 4;  // z_t, timestep, noised z_i, query
constexpr int64_t kStepPositions = 3;   // those that change from step to step

Tensor text_mask(const nn::TextEncoding& text) {
  return torch::cat({text.mask, torch::ones({text.size(), 1}, text.mask.options())}, 1);
}

}  // namespace

void PriorSampling::validate() const {
  sampler.validate();
  check(guidance >= 0, ErrorKind::config, "prior: guidance is ", guidance, ", expected 0 or more");
  check(candidates >= 1, ErrorKind::config, "prior: candidates is ", candidates, ", expected 1 or more");
}

void DiffusionPriorConfig::validate() const {
  sampling.validate();
  transformer.validate("prior.transformer");
  diffusion.validate();
  check(!diffusion.learn_sigma, ErrorKind::config,
        "prior: learn_sigma is true, but the prior predicts no variance");
  check(embed_dim > 0 && text_context > 0, ErrorKind::config,
        "prior: embed_dim and text_context must be positive");
  check(text_drop >= 0 && text_drop < 1, ErrorKind::config, "prior: text_drop is ", text_drop,
        ", expected 0 ≤ rate < 1");
  check(embedding_scale > 0, ErrorKind::config, "prior: embedding_scale is ", embedding_scale,
        ", expected > 0");
}

DiffusionPriorImpl::DiffusionPriorImpl(const DiffusionPriorConfig& c)
    : z_t_proj(register_module("z_t_proj", nn::Linear(c.embed_dim, c.transformer.width))),
      time_embed(
          register_module("time_embed", nn::TimestepEmbedding(c.transformer.width, c.transformer.width))),
      z_i_proj(register_module("z_i_proj", nn::Linear(c.embed_dim, c.transformer.width))),
      transformer(register_module("transformer", nn::Transformer(c.transformer))),
      ln_out(register_module("ln_out", nn::LayerNorm(c.transformer.width))),
      out(register_module("out", nn::Linear(c.transformer.width, c.embed_dim))),
      stats(register_module("stats", nn::Stats())),
      config_(c) {
  c.validate();
  const int64_t width = c.transformer.width;
  if (c.text_source == PriorText::tokens) {
    token_embedding = register_module("token_embedding", nn::Embedding(c.vocab_size, width));
  } else {
    text_proj = register_module("text_proj", nn::Linear(c.text_width, width));
  }
  query = make_parameter("query", {width});
  positional_embedding = make_parameter("positional_embedding", {c.text_context + kExtraPositions, width});
  if (c.error_table) stats->add("x_0_mse", {c.diffusion.schedule.steps}, 0.0);
  if (c.scaling == EmbeddingScaling::standardize) {
    stats->add("mean", {c.embed_dim}, 0.0);
    stats->add("std", {c.embed_dim}, 1.0);
  }
}

void DiffusionPriorImpl::initialize(const NoiseKey& key) {
  nn::fill_parameter(query, nn::Init::normal(0.02), 1, key);
  nn::fill_parameter(positional_embedding, nn::Init::normal(0.01), 1, {key.seed, key.stream, key.step + 1});
}

Tensor DiffusionPriorImpl::text_positions(const nn::TextEncoding& text) {
  check(text.ids.size(1) == config_.text_context, ErrorKind::shape, "prior: got ", text.ids.size(1),
        " text positions, expected ", config_.text_context);
  const Tensor tokens = text_proj.is_empty() ? token_embedding(text.ids).to(compute_dtype)
                                             : text_proj(text.hidden.to(compute_dtype));
  const Tensor z_t = z_t_proj(text.z_t.to(compute_dtype)).unsqueeze(1);
  const Tensor x = torch::cat({tokens, z_t}, 1);
  return x + positional_embedding.slice(0, 0, x.size(1)).to(compute_dtype);
}

Tensor DiffusionPriorImpl::image_positions(const Tensor& z_noised, const Tensor& t) {
  const Tensor time = time_embed->forward(t, compute_dtype).unsqueeze(1);
  const Tensor image = z_i_proj(z_noised.to(compute_dtype)).unsqueeze(1);
  const Tensor ask = query.to(compute_dtype).expand({z_noised.size(0), 1, query.size(0)});
  return torch::cat({time, image, ask}, 1) + positional_embedding.slice(0, -kStepPositions).to(compute_dtype);
}

Tensor DiffusionPriorImpl::forward(const Tensor& z_noised, const Tensor& t, const nn::TextEncoding& text) {
  const Tensor x = torch::cat({text_positions(text), image_positions(z_noised, t)}, 1);
  const Tensor steps = torch::ones({text.size(), kStepPositions}, text.mask.options());
  const Tensor keys = torch::cat({text_mask(text), steps}, 1).unsqueeze(1).unsqueeze(1);  // [N, 1, 1, L + 4]
  const Tensor mask = nn::causal_mask(x.size(1), x.device()).logical_and(keys);
  return read_out(transformer(x, nn::TransformerContext{.mask = mask}).select(1, -1));
}

TextPrefix DiffusionPriorImpl::encode_text(const nn::TextEncoding& text) {
  // Positions behind every caption's end are seen by none, and each position has its own embedding: leave
  // them out.
  const auto used = text.mask.any(0).nonzero().squeeze(1);
  const Tensor kept = torch::cat({used, torch::full({1}, text.mask.size(1), used.options())});  // and z_t
  TextPrefix prefix{.cache = {}, .mask = text_mask(text).index_select(1, kept)};
  const Tensor x = text_positions(text).index_select(1, kept);
  const Tensor mask =
      nn::causal_mask(x.size(1), x.device()).logical_and(prefix.mask.unsqueeze(1).unsqueeze(1));
  transformer(x, nn::TransformerContext{.mask = mask, .present = &prefix.cache});
  return prefix;
}

Tensor DiffusionPriorImpl::predict(const TextPrefix& prefix, const Tensor& z_noised, const Tensor& t) {
  const Tensor x = image_positions(z_noised, t);
  const Tensor past = prefix.mask.unsqueeze(1).unsqueeze(1).expand({-1, 1, kStepPositions, -1});
  const Tensor current = nn::causal_mask(kStepPositions, x.device()).expand({x.size(0), 1, -1, -1});
  const Tensor mask = torch::cat({past, current}, 3);
  return read_out(transformer(x, nn::TransformerContext{.mask = mask, .past = &prefix.cache}).select(1, -1));
}

Tensor DiffusionPriorImpl::scale(const Tensor& z_i) const {
  if (config_.scaling == EmbeddingScaling::standardize) return (z_i - stats->get("mean")) / stats->get("std");
  return z_i / z_i.norm(2, -1, true) * config_.embedding_scale;
}

Tensor DiffusionPriorImpl::unscale(const Tensor& x_0) const {
  if (config_.scaling == EmbeddingScaling::standardize) return x_0 * stats->get("std") + stats->get("mean");
  return x_0 / config_.embedding_scale;
}

}  // namespace unclip::prior
