#include "unclip/nn/attention.h"

#include <cmath>
#include <limits>

namespace unclip::nn {

namespace {

// LibTorch's fused kernel calls oneDNN anew for every head of every sample in the backward pass; for short
// sequences that costs more than the products themselves.
constexpr int64_t kShortSequence = 128;

Tensor attention_in_steps(const Tensor& q,
                          const Tensor& k,
                          const Tensor& v,
                          const std::optional<Tensor>& mask) {
  const double scale = 1.0 / std::sqrt(static_cast<double>(q.size(3)));
  Tensor scores = at::matmul(q * scale, k.transpose(2, 3));
  if (mask) scores = scores.masked_fill(~*mask, -std::numeric_limits<float>::infinity());
  return at::matmul(at::softmax(scores, -1, torch::kFloat32).to(v.scalar_type()), v);
}

}  // namespace

Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, const std::optional<Tensor>& mask) {
  const bool trains = at::GradMode::is_enabled() && q.requires_grad();
  if (trains && q.is_cpu() && k.size(2) <= kShortSequence) return attention_in_steps(q, k, v, mask);
  return at::scaled_dot_product_attention(q, k, v, mask);
}

Tensor split_heads(const Tensor& x, int64_t heads) {
  return x.reshape({x.size(0), x.size(1), heads, x.size(2) / heads}).transpose(1, 2);
}

Tensor merge_heads(const Tensor& x) {
  return x.transpose(1, 2).reshape({x.size(0), x.size(2), x.size(1) * x.size(3)});
}

SelfAttentionImpl::SelfAttentionImpl(int64_t width, int64_t heads, Init qkv_init, Init out_init)
    : qkv(register_module("qkv", Linear(width, 3 * width, LinearOptions{.init = qkv_init}))),
      out(register_module("out", Linear(width, width, LinearOptions{.init = out_init}))),
      heads_(heads) {
  check(width % heads == 0, ErrorKind::config, "width ", width, " is not divisible by ", heads, " heads");
}

Tensor SelfAttentionImpl::forward(const Tensor& x, const AttentionContext& context) {
  const auto parts = qkv(x).chunk(3, -1);
  const Tensor q = split_heads(parts[0], heads_);
  Tensor k = split_heads(parts[1], heads_);
  Tensor v = split_heads(parts[2], heads_);
  if (context.past != nullptr) {
    k = torch::cat({context.past->k, k}, 2);
    v = torch::cat({context.past->v, v}, 2);
  }
  if (context.present != nullptr) *context.present = {k, v};
  return out(merge_heads(attention(q, k, v, context.mask)));
}

}  // namespace unclip::nn
