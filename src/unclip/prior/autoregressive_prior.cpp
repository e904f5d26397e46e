#include "unclip/prior/autoregressive_prior.h"

#include <cmath>

#include "unclip/prior/code_layers.h"
#include "unclip/prior/dot_product_token.h"

namespace unclip::prior {
namespace {

constexpr int64_t kPrefix = 2;  // z_t, z_i·z_t

/// [N, J] -> [N, 1, 1, J]
Tensor over_queries(const Tensor& keys) { return keys.unsqueeze(1).unsqueeze(1); }

}  // namespace

void CodeSampling::validate() const {
  check(guidance >= 0, ErrorKind::config, "ar_prior: guidance is ", guidance, ", expected 0 or more");
  check(temperature > 0, ErrorKind::config, "ar_prior: temperature is ", temperature, ", expected > 0");
  check(top_p > 0 && top_p <= 1, ErrorKind::config, "ar_prior: top_p is ", top_p, ", expected 0 < share ≤ 1");
  check(dot_product_percentile >= 0 && dot_product_percentile < 1, ErrorKind::config,
        "ar_prior: dot_product_percentile is ", dot_product_percentile, ", expected 0 ≤ share < 1");
  check(candidates >= 1, ErrorKind::config, "ar_prior: candidates is ", candidates, ", expected 1 or more");
}

void AutoregressivePriorConfig::validate() const {
  sampling.validate();
  transformer.validate("ar_prior.transformer");
  if (text_source == PriorText::tokens)
    text_encoder.transformer.validate("ar_prior.text_encoder.transformer");
  check(embed_dim > 0 && text_width > 0, ErrorKind::config,
        "ar_prior: embed_dim and text_width must be positive");
  check(context > kPrefix, ErrorKind::config, "ar_prior: context is ", context, ", expected more than ",
        kPrefix);
  check(components >= 0 && components <= max_components(), ErrorKind::config, "ar_prior: components is ",
        components, ", expected at most ", max_components(), " (embed_dim, and context less ", kPrefix, ")");
  check(reconstruction_error > 0 && reconstruction_error < 1, ErrorKind::config,
        "ar_prior: reconstruction_error is ", reconstruction_error, ", expected 0 < share < 1");
  check(buckets > 1 && bucket_range > 0 && dot_product_bins > 1, ErrorKind::config,
        "ar_prior: buckets and dot_product_bins must be 2 or more, bucket_range positive");
  check(text_drop >= 0 && text_drop < 1, ErrorKind::config, "ar_prior: text_drop is ", text_drop,
        ", expected 0 ≤ rate < 1");
}

AutoregressivePriorImpl::AutoregressivePriorImpl(const AutoregressivePriorConfig& c)
    : text_kv(*this, "text_kv"),
      z_t_proj(register_module("z_t_proj", nn::Linear(c.embed_dim, c.transformer.width))),
      dot_product_embedding(register_module("dot_product_embedding",
                                            nn::Embedding(c.dot_product_bins + 1, c.transformer.width))),
      code_embedding(register_module("code_embedding", make_code_embedding(c.buckets, c.transformer.width))),
      transformer(register_module("transformer", nn::Transformer(c.transformer))),
      ln_out(register_module("ln_out", nn::LayerNorm(c.transformer.width))),
      out(register_module("out", make_code_output(c.transformer.width, c.buckets, c.bucket_range))),
      stats(register_module("stats", nn::Stats())),
      config_(c) {
  c.validate();
  const bool own_text = c.text_source == PriorText::tokens;
  if (own_text) text_encoder = register_module("text_encoder", nn::TextEncoder(c.text_encoder));
  const int64_t text_width = own_text ? c.text_encoder.transformer.width : c.text_width;
  for (int64_t i = 0; i < c.transformer.layers; ++i)
    text_kv.emplace_back(text_width, 2 * c.transformer.width);
  positional_embedding = make_parameter("positional_embedding", {c.context, c.transformer.width});
  stats->add("mean", {c.embed_dim}, 0.0);
  stats->add("basis", {c.max_components(), c.embed_dim}, 0.0);
  stats->add("eigenvalues", {c.embed_dim}, 0.0);
  stats->add("components", {1}, 0.0);
  stats->add("dot_product_edges", {c.dot_product_bins - 1}, 0.0);
}

void AutoregressivePriorImpl::initialize(const NoiseKey& key) {
  nn::fill_parameter(positional_embedding, nn::Init::normal(0.1), 1, key);
}

void AutoregressivePriorImpl::fit(const PrincipalComponents& pca, const Tensor& dot_products) {
  const int64_t kept = config_.components > 0 ? config_.components
                                              : components_for(pca.eigenvalues, config_.reconstruction_error);
  check(kept > 0 && kept <= config_.max_components(), ErrorKind::config,
        "ar_prior: ", config_.reconstruction_error, " of the variance is lost with ", kept,
        " components, but a context of ", config_.context, " has room for ", config_.max_components(),
        ": raise context or reconstruction_error, or fix components");
  stats->get("mean").copy_(pca.mean);
  stats->get("basis").zero_().slice(0, 0, kept).copy_(pca.basis.slice(0, 0, kept));
  stats->get("eigenvalues").copy_(pca.eigenvalues);
  stats->get("components").fill_(kept);
  stats->get("dot_product_edges").copy_(dot_product_edges(dot_products, config_.dot_product_bins));
}

int64_t AutoregressivePriorImpl::components() const {
  const double kept = stats->get("components").item<double>();
  check(kept >= 0 && kept <= static_cast<double>(config_.max_components()), ErrorKind::checkpoint,
        "ar_prior: stats.components is ", kept, ", expected at most ", config_.max_components());
  return std::llround(kept);
}

EmbeddingCode AutoregressivePriorImpl::code() const {
  const int64_t kept = components();
  return {.mean = stats->get("mean"),
          .basis = stats->get("basis").slice(0, 0, kept),
          .std = stats->get("eigenvalues").slice(0, 0, kept).sqrt(),
          .buckets = config_.buckets,
          .range = config_.bucket_range};
}

Tensor AutoregressivePriorImpl::prepared(const Tensor& z_i) const {
  return config_.unit_z_i ? z_i / z_i.norm(2, -1, true).clamp_min(1e-12) : z_i;
}

Tensor AutoregressivePriorImpl::dot_product_of(const Tensor& z_i, const Tensor& z_t) const {
  return dot_product_token(dot_product(z_i, z_t), stats->get("dot_product_edges"));
}

CodeCache AutoregressivePriorImpl::read_caption(const nn::TextEncoding& text) {
  CodeCache cache;
  Tensor tokens = text.hidden.to(compute_dtype);
  cache.mask = text.mask;
  if (!text_encoder.is_empty()) {
    tokens = text_encoder->forward(text, compute_dtype).tokens;
    cache.mask = torch::ones_like(text.mask);  // where a caption has no token it has a learned vector
  }
  for (nn::Linear& layer : text_kv) {
    const auto kv = layer(tokens).chunk(2, -1);
    const int64_t heads = config_.transformer.heads;
    cache.keys.push_back({nn::split_heads(kv[0], heads), nn::split_heads(kv[1], heads)});
  }
  return cache;
}

Tensor AutoregressivePriorImpl::prefix(const CodePrompt& prompt) {
  const Tensor z_t = z_t_proj(prompt.text.z_t.to(compute_dtype)).unsqueeze(1);
  const Tensor dot_product = dot_product_embedding(prompt.dot_product).to(compute_dtype).unsqueeze(1);
  return torch::cat({z_t, dot_product}, 1) + positional_embedding.slice(0, 0, kPrefix).to(compute_dtype);
}

Tensor AutoregressivePriorImpl::written_at(const Tensor& codes, int64_t position) {
  const Tensor positions = positional_embedding.slice(0, position, position + codes.size(1));
  return code_embedding(codes).to(compute_dtype) + positions.to(compute_dtype);
}

/// Runs the positions x [N, J, width], which follow those in `cache` and join them -> logits [N, J, buckets].
Tensor AutoregressivePriorImpl::read(const Tensor& x, CodeCache& cache) {
  const int64_t count = x.size(0), length = x.size(1);
  const Tensor causal = nn::causal_mask(length, x.device()).expand({count, 1, -1, -1});
  const Tensor mask = torch::cat({over_queries(cache.mask).expand({-1, 1, length, -1}), causal}, 3);
  const Tensor h =
      transformer(x, nn::TransformerContext{.mask = mask, .past = &cache.keys, .present = &cache.keys});
  cache.mask = torch::cat({cache.mask, torch::ones({count, length}, cache.mask.options())}, 1);
  cache.positions += length;
  return out(ln_out(h)).to(torch::kFloat32);
}

Tensor AutoregressivePriorImpl::forward(const CodePrompt& prompt, const Tensor& codes) {
  CodeCache cache = read_caption(prompt.text);
  const Tensor written = written_at(codes, kPrefix);
  return read(torch::cat({prefix(prompt), written}, 1), cache).slice(1, kPrefix - 1);
}

Tensor AutoregressivePriorImpl::begin(const CodePrompt& prompt, CodeCache& cache) {
  cache = read_caption(prompt.text);
  return read(prefix(prompt), cache).select(1, -1);
}

Tensor AutoregressivePriorImpl::next(const Tensor& code, CodeCache& cache) {
  return read(written_at(code.unsqueeze(1), cache.positions), cache).squeeze(1);
}

}  // namespace unclip::prior
