#include "unclip/nn/unet_blocks.h"

#include <algorithm>
#include <cmath>

namespace unclip::nn {
namespace {

Tensor resampled(const Tensor& x, Resample resample) {
  switch (resample) {
    case Resample::down:
      return at::avg_pool2d(x, 2);
    case Resample::up:
      return at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)});
    case Resample::none:
      break;
  }
  return x;
}

Conv2dOptions conv3(Init init = {}) { return {.padding = 1, .init = init}; }

}  // namespace

int64_t UNetConfig::level_channels(size_t level) const {
  return std::llround(static_cast<double>(channels) * channel_mult[level]);
}

bool UNetConfig::attends(size_t level) const {
  const int64_t grid = size / patch >> level;
  return std::ranges::find(attention_resolutions, grid) != attention_resolutions.end();
}

void UNetConfig::validate(const std::string& where) const {
  check(!channel_mult.empty() && depth > 0 && channels > 0 && patch > 0, ErrorKind::config, where,
        ": channels, channel_mult, depth and patch must be positive");
  check(fine_channels >= 0, ErrorKind::config, where, ": fine_channels is ", fine_channels,
        ", expected 0 for none or more");
  const int64_t factor = patch << (channel_mult.size() - 1);
  check(size % factor == 0, ErrorKind::config, where, ": size ", size,
        " is not divisible by patch and levels together (", factor, ")");
  check(dropout >= 0 && dropout < 1, ErrorKind::config, where, ": dropout is ", dropout,
        ", expected 0 ≤ dropout < 1");
  for (size_t level = 0; level < channel_mult.size(); ++level) {
    const int64_t width = level_channels(level);
    check(width > 0 && width % groups == 0, ErrorKind::config, where, ": level ", level, " has ", width,
          " channels, not divisible by ", groups, " groups");
    const bool attention = attends(level) || (mid_attention && level + 1 == channel_mult.size());
    check(!attention || width % head_channels == 0, ErrorKind::config, where, ": level ", level, " has ",
          width, " channels, not divisible by head_channels ", head_channels);
  }
}

ResBlockImpl::ResBlockImpl(int64_t in, int64_t out, const UNetConfig& c, Resample resample)
    : norm1(register_module("norm1", GroupNorm(in, GroupNormOptions{.groups = c.groups, .eps = c.norm_eps}))),
      conv1(register_module("conv1", Conv2d(in, out, 3, conv3()))),
      embed(register_module("embed", Linear(c.embed_width(), c.scale_shift ? 2 * out : out))),
      norm2(
          register_module("norm2", GroupNorm(out, GroupNormOptions{.groups = c.groups, .eps = c.norm_eps}))),
      conv2(register_module("conv2", Conv2d(out, out, 3, conv3(Init::zeros())))),
      resample_(resample),
      scale_shift_(c.scale_shift),
      dropout_(c.dropout) {
  if (in != out) skip = register_module("skip", Conv2d(in, out, 1));
}

Tensor ResBlockImpl::forward(Tensor x, const Tensor& embedding) {
  Tensor h = resampled(norm1(x, /*silu=*/true), resample_);
  x = resampled(x, resample_);
  h = conv1(h);
  const Tensor e = embed(embedding);
  h = scale_shift_ ? norm2(h, true, e) : norm2(h + e.unsqueeze(-1).unsqueeze(-1), true);
  if (dropout_ > 0 && is_training()) h = at::dropout(h, dropout_, true);
  return (skip.is_empty() ? x : skip(x)) + conv2(h);
}

AttentionBlockImpl::AttentionBlockImpl(int64_t channels, const UNetConfig& c)
    : norm(register_module("norm", GroupNorm(channels, GroupNormOptions{.groups = c.groups}))),
      qkv(register_module("qkv", Linear(channels, 3 * channels))),
      out(register_module("out", Linear(channels, channels, LinearOptions{.init = Init::zeros()}))),
      heads_(channels / c.head_channels) {
  if (c.context_width > 0) context_kv = register_module("context_kv", Linear(c.context_width, 2 * channels));
}

Tensor AttentionBlockImpl::forward(const Tensor& x, const std::optional<ContextTokens>& context) {
  const Tensor h = norm(x, /*silu=*/false).permute({0, 2, 3, 1}).flatten(1, 2);  // [N, HW, C], a view
  const auto parts = qkv(h).chunk(3, -1);
  const Tensor q = split_heads(parts[0], heads_);
  Tensor k = split_heads(parts[1], heads_), v = split_heads(parts[2], heads_);
  std::optional<Tensor> mask;
  if (context && !context_kv.is_empty()) {
    const auto extra = context_kv(context->tokens.to(h.scalar_type())).chunk(2, -1);
    k = torch::cat({split_heads(extra[0], heads_), k}, 2);
    v = torch::cat({split_heads(extra[1], heads_), v}, 2);
    if (context->mask) {
      const Tensor pixels = torch::ones({x.size(0), h.size(1)}, context->mask->options());
      mask = torch::cat({*context->mask, pixels}, 1).unsqueeze(1).unsqueeze(1);  // [N, 1, 1, L + HW]
    }
  }
  const Tensor attended = out(merge_heads(attention(q, k, v, mask)));
  return x + attended.view({x.size(0), x.size(2), x.size(3), x.size(1)}).permute({0, 3, 1, 2});
}

FineHeadImpl::FineHeadImpl(const UNetConfig& c)
    : conv1(register_module("conv1", Conv2d(c.out_channels + c.in_channels, c.fine_channels, 3, conv3()))),
      embed(register_module("embed", Linear(c.embed_width(), 2 * c.fine_channels))),
      conv2(register_module("conv2", Conv2d(c.fine_channels, c.out_channels, 3, conv3(Init::zeros())))) {}

Tensor FineHeadImpl::forward(const Tensor& y, const Tensor& x_t, const Tensor& embedding) {
  const auto scale_shift = embed(embedding).unsqueeze(-1).unsqueeze(-1).chunk(2, 1);
  const Tensor h = conv1(torch::cat({y, x_t}, 1));
  return y + conv2(at::silu(at::addcmul(scale_shift[1] + h, scale_shift[0], h)));
}

}  // namespace unclip::nn
