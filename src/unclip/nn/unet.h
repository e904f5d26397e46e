// The ADM UNet (Dhariwal & Nichol 2021, App. A): decoder and upsamplers are this net with different configs.
#pragma once
#include "unclip/nn/timestep_embedding.h"
#include "unclip/nn/unet_blocks.h"

namespace unclip::nn {

/// What the net is told besides x_t and t.
struct UNetConditioning {
  std::optional<Tensor> embedding = std::nullopt;  // [N, embed_width], added to the timestep embedding
  std::optional<ContextTokens> context = std::nullopt;
  std::optional<Tensor> layout = std::nullopt;  // [N, C, side, side] of the coarsest level, added to it
};

/// One resolution: `depth` residual blocks, each followed by attention where the level attends, then a
/// resampling block.
class UNetLevelImpl : public torch::nn::Module {
 public:
  UNetLevelImpl() : blocks(*this, "blocks"), attentions(*this, "attentions") {}
  BlockList<ResBlock> blocks;
  BlockList<AttentionBlock> attentions;  // as many as blocks, or none
  ResBlock resample{nullptr};            // to the next level; absent at the end of each path
};
TORCH_MODULE(UNetLevel);

class UNetImpl : public torch::nn::Module {
 public:
  explicit UNetImpl(const UNetConfig& config);
  /// x_t float32 [N, in_channels, H, W], t [N] -> float32 [N, out_channels, H, W]
  Tensor forward(const Tensor& x_t, const Tensor& t, const UNetConditioning& conditioning = {});

  torch::ScalarType compute_dtype = torch::kFloat32;  // of activations; weights are cast as they are used
  TimestepEmbedding time_embed;
  Conv2d conv_in;
  BlockList<UNetLevel> down;
  ResBlock mid_block1{nullptr};
  AttentionBlock mid_attention{nullptr};
  ResBlock mid_block2{nullptr};
  BlockList<UNetLevel> up;
  GroupNorm norm_out;
  Conv2d conv_out;
  FineHead fine{nullptr};  // only with fine_channels

 private:
  void build_down(std::vector<int64_t>& skips);
  void build_up(std::vector<int64_t>& skips);
  UNetConfig config_;
};
TORCH_MODULE(UNet);

}  // namespace unclip::nn
