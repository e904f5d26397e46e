// The two blocks of the ADM UNet: residual block with BigGAN up- and downsampling, and attention with context
// tokens.
#pragma once
#include "unclip/nn/attention.h"
#include "unclip/nn/group_norm.h"
#include "unclip/nn/unet_config.h"

namespace unclip::nn {

enum class Resample { none, down, up };

/// GN, SiLU, (resample), conv3, GN with the embedding, SiLU, dropout, conv3; the skip is resampled too (ADM
/// App. A).
class ResBlockImpl : public torch::nn::Module {
 public:
  ResBlockImpl(int64_t in, int64_t out, const UNetConfig& config, Resample resample = Resample::none);
  Tensor forward(Tensor x, const Tensor& embedding);  // x [N, in, H, W], embedding [N, E] (already activated)
  GroupNorm norm1;
  Conv2d conv1;
  Linear embed;
  GroupNorm norm2;
  Conv2d conv2;
  Conv2d skip{nullptr};  // 1×1 where the width changes

 private:
  Resample resample_;
  bool scale_shift_;
  double dropout_;
};
TORCH_MODULE(ResBlock);

/// Extra tokens that attention blocks see as further keys and values (GLIDE §4.1; unCLIP §2.1).
struct ContextTokens {
  Tensor tokens;               // [N, L, context_width]
  std::optional<Tensor> mask;  // bool [N, L], true = may be attended
};

class AttentionBlockImpl : public torch::nn::Module {
 public:
  AttentionBlockImpl(int64_t channels, const UNetConfig& config);
  Tensor forward(const Tensor& x, const std::optional<ContextTokens>& context);  // [N, C, H, W]
  GroupNorm norm;
  Linear qkv;
  Linear context_kv{nullptr};  // rows: k, v; on the tokens as they are, without a norm
  Linear out;

 private:
  int64_t heads_;
};
TORCH_MODULE(AttentionBlock);

/// What a net on patches cannot see, the pixels beside a patch: a residual of two convolutions at full
/// resolution, from its result and x_t, told t by scale and shift. Starts as the identity.
class FineHeadImpl : public torch::nn::Module {
 public:
  explicit FineHeadImpl(const UNetConfig& config);
  /// y [N, out_channels, H, W], x_t [N, in_channels, H, W], embedding [N, E] (already activated)
  Tensor forward(const Tensor& y, const Tensor& x_t, const Tensor& embedding);
  Conv2d conv1;
  Linear embed;
  Conv2d conv2;
};
TORCH_MODULE(FineHead);

}  // namespace unclip::nn
