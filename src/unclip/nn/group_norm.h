// GroupNorm with everything that follows it in an ADM block (scale-shift and SiLU) in one pass over memory.
#pragma once
#include <optional>

#include "unclip/nn/layers.h"

namespace unclip::nn {

struct GroupNormOptions {
  int64_t groups = 32;
  double eps = 1e-5;
};

/// y = act((GN(x)·γ + β)·(1 + scale) + shift), the adaptive group normalisation of ADM (Dhariwal & Nichol
/// 2021, §3).
class GroupNormImpl : public Layer {
 public:
  explicit GroupNormImpl(int64_t channels, GroupNormOptions options = {});
  /// x [N, C, H, W] -> the same shape, channels-last; scale_shift [N, 2C] or absent; `silu` applies x·σ(x) at
  /// the end.
  Tensor forward(const Tensor& x, bool silu, const std::optional<Tensor>& scale_shift = std::nullopt);
  void initialize(const NoiseKey& key) override;
  Tensor weight, bias;  // γ, β: [C]

 private:
  GroupNormOptions options_;
};
TORCH_MODULE(GroupNorm);

/// The same out of ATen's separate operators, in any dtype on any device: the reference of the fused kernels.
Tensor group_norm_reference(const Tensor& x,
                            const GroupNormImpl& norm,
                            const GroupNormOptions& options,
                            bool silu,
                            const std::optional<Tensor>& scale_shift);

}  // namespace unclip::nn
