#include "unclip/nn/transformer.h"

#include <cmath>

namespace unclip::nn {
namespace {

// CLIP's start (openai/CLIP, model.py: initialize_parameters): residual branches shrink with depth.
Init qkv_init(const TransformerConfig& c) { return Init::normal(std::pow(c.width, -0.5)); }
Init residual_init(const TransformerConfig& c) {
  return Init::normal(std::pow(c.width, -0.5) * std::pow(2.0 * static_cast<double>(c.layers), -0.5));
}
Init fc_init(const TransformerConfig& c) {
  return Init::normal(std::pow(2.0 * static_cast<double>(c.width), -0.5));
}

int64_t hidden_width(const TransformerConfig& c) {
  return std::llround(static_cast<double>(c.width) * c.mlp_ratio);
}

}  // namespace

void TransformerConfig::validate(const std::string& where) const {
  check(width > 0 && heads > 0 && layers > 0 && mlp_ratio > 0, ErrorKind::config, where,
        ": width, layers, heads and mlp_ratio must be positive");
  check(width % heads == 0, ErrorKind::config, where, ": width ", width, " is not divisible by heads ",
        heads);
}

Tensor activate(const Tensor& x, Activation activation) {
  return activation == Activation::gelu ? at::gelu(x) : x * at::sigmoid(1.702 * x);
}

MlpImpl::MlpImpl(const TransformerConfig& config)
    : fc(register_module("fc",
                         Linear(config.width, hidden_width(config), LinearOptions{.init = fc_init(config)}))),
      proj(register_module(
          "proj", Linear(hidden_width(config), config.width, LinearOptions{.init = residual_init(config)}))),
      activation_(config.activation) {}

BlockImpl::BlockImpl(const TransformerConfig& config)
    : ln_1(register_module("ln_1", LayerNorm(config.width, config.norm_eps))),
      attn(register_module(
          "attn", SelfAttention(config.width, config.heads, qkv_init(config), residual_init(config)))),
      ln_2(register_module("ln_2", LayerNorm(config.width, config.norm_eps))),
      mlp(register_module("mlp", Mlp(config))) {}

Tensor BlockImpl::forward(Tensor x, const AttentionContext& context) {
  x = x + attn(ln_1(x), context);
  return x + mlp(ln_2(x));
}

TransformerImpl::TransformerImpl(const TransformerConfig& config) : blocks(*this, "blocks") {
  for (int64_t i = 0; i < config.layers; ++i) blocks.emplace_back(config);
}

Tensor TransformerImpl::forward(Tensor x, const TransformerContext& context) {
  if (context.present != nullptr) context.present->resize(blocks.size());
  for (size_t i = 0; i < blocks.size(); ++i) {
    x = blocks[i](
        x, AttentionContext{.mask = context.mask,
                            .past = context.past != nullptr ? &context.past->at(i) : nullptr,
                            .present = context.present != nullptr ? &context.present->at(i) : nullptr});
  }
  return x;
}

Tensor causal_mask(int64_t length, torch::Device device) {
  return torch::ones({1, 1, length, length}, torch::dtype(torch::kBool).device(device)).tril();
}

}  // namespace unclip::nn
