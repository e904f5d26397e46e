// Shape of an ADM UNet (Dhariwal & Nichol 2021): one struct for decoder and upsamplers, tiny to Table 3.
#pragma once
#include "unclip/base/config.h"

namespace unclip::nn {

struct UNetConfig {
  int64_t size = 64;  // side of the pictures it is made for; convolution-only nets run at any side
  int64_t in_channels = 3;
  int64_t out_channels = 6;   // ε and the variance range
  int64_t patch = 1;          // space-to-depth factor in front of the net, undone behind it
  int64_t fine_channels = 0;  // width of a head that smooths over the patches' borders; 0: none
  int64_t channels = 512;     // unCLIP Table 3, decoder column
  std::vector<double> channel_mult{1, 2, 3, 4};
  int64_t depth = 3;                                      // residual blocks per level
  std::vector<int64_t> attention_resolutions{32, 16, 8};  // grid sides that attend; empty: convolutions only
  bool mid_attention = true;                              // attention between the two middle blocks
  int64_t head_channels = 64;
  int64_t context_width = 0;  // width of the extra tokens that attention sees; 0: none
  bool scale_shift = true;    // the embedding scales and shifts the second norm (else it is added before it)
  double dropout = 0.1;
  int64_t groups = 32;     // of every GroupNorm
  double norm_eps = 1e-5;  // of the GroupNorms outside of attention

  static void fields(auto& self, auto&& field) {
    field("size", self.size, "side of the pictures in pixels");
    field("in_channels", self.in_channels, "channels in");
    field("out_channels", self.out_channels, "channels out (twice the picture's with a learned variance)");
    field("patch", self.patch, "space-to-depth factor: 2 runs a 64 px picture on a 32 x 32 grid");
    field("fine_channels", self.fine_channels,
          "width of a full-resolution head behind the patches, 0 for none");
    field("channels", self.channels, "base width");
    field("channel_mult", self.channel_mult, "width multiplier of each level");
    field("depth", self.depth, "residual blocks per level");
    field("attention_resolutions", self.attention_resolutions, "grid sides with attention");
    field("mid_attention", self.mid_attention, "attention in the middle");
    field("head_channels", self.head_channels, "channels per attention head");
    field("context_width", self.context_width, "width of context tokens, 0 for none");
    field("scale_shift", self.scale_shift, "adaptive group normalisation instead of addition");
    field("dropout", self.dropout, "dropout rate inside residual blocks");
    field("groups", self.groups, "groups of every GroupNorm");
    field("norm_eps", self.norm_eps, "added to the variance by every GroupNorm outside of attention");
  }

  int64_t embed_width() const { return 4 * channels; }
  int64_t coarsest_side() const { return size / patch >> (channel_mult.size() - 1); }
  int64_t level_channels(size_t level) const;  // rounded: a level may have 4/3 of the base width
  bool attends(size_t level) const;
  /// Throws Error(config) with both numbers if the settings contradict each other.
  void validate(const std::string& where) const;
};

}  // namespace unclip::nn
