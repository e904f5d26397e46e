#include "unclip/nn/unet.h"

namespace unclip::nn {
namespace {

int64_t patched(int64_t channels, const UNetConfig& c) { return channels * c.patch * c.patch; }

}  // namespace

UNetImpl::UNetImpl(const UNetConfig& c)
    : time_embed(register_module("time_embed", TimestepEmbedding(c.channels, c.embed_width()))),
      conv_in(register_module(
          "conv_in", Conv2d(patched(c.in_channels, c), c.level_channels(0), 3, Conv2dOptions{.padding = 1}))),
      down(*this, "down"),
      up(*this, "up"),
      norm_out(register_module(
          "norm_out",
          GroupNorm(c.level_channels(0), GroupNormOptions{.groups = c.groups, .eps = c.norm_eps}))),
      conv_out(register_module("conv_out",
                               Conv2d(c.level_channels(0),
                                      patched(c.out_channels, c),
                                      3,
                                      Conv2dOptions{.padding = 1, .init = Init::zeros()}))),
      config_(c) {
  c.validate("unet");
  std::vector<int64_t> skips{c.level_channels(0)};  // widths that the up path will concatenate
  build_down(skips);
  const int64_t width = c.level_channels(c.channel_mult.size() - 1);
  mid_block1 = register_module("mid_block1", ResBlock(width, width, c));
  if (c.mid_attention) mid_attention = register_module("mid_attention", AttentionBlock(width, c));
  mid_block2 = register_module("mid_block2", ResBlock(width, width, c));
  build_up(skips);
  if (c.fine_channels > 0) fine = register_module("fine", FineHead(c));
}

void UNetImpl::build_down(std::vector<int64_t>& skips) {
  const size_t levels = config_.channel_mult.size();
  int64_t width = skips.back();
  for (size_t level = 0; level < levels; ++level) {
    UNetLevel& part = down.emplace_back();
    for (int64_t i = 0; i < config_.depth; ++i) {
      part->blocks.emplace_back(width, config_.level_channels(level), config_);
      width = config_.level_channels(level);
      if (config_.attends(level)) part->attentions.emplace_back(width, config_);
      skips.push_back(width);
    }
    if (level + 1 < levels) {
      part->resample = part->register_module("resample", ResBlock(width, width, config_, Resample::down));
      skips.push_back(width);
    }
  }
}

void UNetImpl::build_up(std::vector<int64_t>& skips) {
  int64_t width = config_.level_channels(config_.channel_mult.size() - 1);
  for (size_t level = config_.channel_mult.size(); level-- > 0;) {
    UNetLevel& part = up.emplace_back();
    for (int64_t i = 0; i < config_.depth + 1; ++i) {
      part->blocks.emplace_back(width + skips.back(), config_.level_channels(level), config_);
      skips.pop_back();
      width = config_.level_channels(level);
      if (config_.attends(level)) part->attentions.emplace_back(width, config_);
    }
    if (level > 0)
      part->resample = part->register_module("resample", ResBlock(width, width, config_, Resample::up));
  }
}

Tensor UNetImpl::forward(const Tensor& x_t, const Tensor& t, const UNetConditioning& conditioning) {
  Tensor embedding = time_embed->forward(t, compute_dtype);
  if (conditioning.embedding) embedding = embedding + conditioning.embedding->to(compute_dtype);
  embedding = at::silu(embedding);

  const Tensor x = x_t.to(compute_dtype);
  Tensor h = conv_in(at::pixel_unshuffle(x, config_.patch));
  std::vector<Tensor> skips{h};
  for (UNetLevel& level : down) {
    for (size_t i = 0; i < level->blocks.size(); ++i) {
      h = level->blocks[i](h, embedding);
      if (level->attentions.size() > 0) h = level->attentions[i](h, conditioning.context);
      skips.push_back(h);
    }
    if (!level->resample.is_empty()) skips.push_back(h = level->resample(h, embedding));
  }
  if (conditioning.layout) h = h + conditioning.layout->to(compute_dtype);
  h = mid_block1(h, embedding);
  if (!mid_attention.is_empty()) h = mid_attention(h, conditioning.context);
  h = mid_block2(h, embedding);
  for (UNetLevel& level : up) {
    for (size_t i = 0; i < level->blocks.size(); ++i) {
      h = level->blocks[i](torch::cat({h, skips.back()}, 1), embedding);
      skips.pop_back();
      if (level->attentions.size() > 0) h = level->attentions[i](h, conditioning.context);
    }
    if (!level->resample.is_empty()) h = level->resample(h, embedding);
  }
  h = at::pixel_shuffle(conv_out(norm_out(h, /*silu=*/true)), config_.patch);
  if (!fine.is_empty()) h = fine(h, x, embedding);
  return h.to(torch::kFloat32);
}

}  // namespace unclip::nn
