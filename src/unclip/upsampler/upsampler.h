// The upsamplers of unCLIP §2.1: x_t and the enlarged low-resolution picture side by side through a
// convolutional UNet. Neither caption nor z_i is used, and no guidance; trained on crops, run at any side.
#pragma once
#include "unclip/nn/unet.h"
#include "unclip/upsampler/config.h"

namespace unclip::upsampler {

using nn::Tensor;

class UpsamplerImpl : public torch::nn::Module {
 public:
  explicit UpsamplerImpl(const UpsamplerConfig& config);
  /// low [N, 3, h, w] in −1…1 -> [N, 3, height, width]: done once, reused at every step.
  Tensor enlarge(const Tensor& low, int64_t height, int64_t width) const;
  /// x_t [N, 3, H, W], t [N], enlarged [N, 3, H, W] -> the net's output as the diffusion is parameterized,
  /// [N, out_channels, H, W] float32
  Tensor forward(const Tensor& x_t, const Tensor& t, const Tensor& enlarged) {
    const Tensor y = unet(torch::cat({x_t, enlarged}, 1), t, nn::UNetConditioning{});
    return config_.residual ? y + enlarged : y;
  }
  void set_compute_dtype(torch::ScalarType dtype) { unet->compute_dtype = dtype; }
  const UpsamplerConfig& config() const { return config_; }
  nn::UNet unet;

 private:
  UpsamplerConfig config_;
};
TORCH_MODULE(Upsampler);

}  // namespace unclip::upsampler
