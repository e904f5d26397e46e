#include "unclip/upsampler/upsampler.h"

namespace unclip::upsampler {

void UpsamplerConfig::validate() const {
  unet.validate("upsampler.unet");
  check(unet.attention_resolutions.empty() && !unet.mid_attention, ErrorKind::config,
        "upsampler: the UNet must be convolutional: empty attention_resolutions and mid_attention false");
  check(unet.in_channels == 6, ErrorKind::config, "upsampler: unet.in_channels is ", unet.in_channels,
        ", expected 6 (x_t and the enlarged picture)");
  diffusion.validate();
  sampler.validate();
  const int64_t out = diffusion.learn_sigma ? 6 : 3;
  check(unet.out_channels == out, ErrorKind::config, "upsampler: unet.out_channels is ", unet.out_channels,
        ", expected ", out, " with learn_sigma ", diffusion.learn_sigma ? "true" : "false");
  check(
      !residual || (diffusion.parameterization == diffusion::Parameterization::x_0 && !diffusion.learn_sigma),
      ErrorKind::config, "upsampler: residual needs the parameterization x_0 without learn_sigma");
  check(low_size > 0 && unet.size % low_size == 0, ErrorKind::config, "upsampler: size ", unet.size,
        " is not a multiple of low_size ", low_size);
  check(crop > 0 && crop <= 1 && corruption_rate >= 0 && corruption_rate <= 1, ErrorKind::config,
        "upsampler: crop is ", crop, " and corruption_rate ", corruption_rate, ", expected both in 0…1");
}

UpsamplerImpl::UpsamplerImpl(const UpsamplerConfig& c) : unet(nullptr), config_(c) {
  c.validate();
  unet = register_module("unet", nn::UNet(c.unet));
}

Tensor UpsamplerImpl::enlarge(const Tensor& low, int64_t height, int64_t width) const {
  // The antialiased kernels are Pillow's (a = −0.5); ATen's plain bicubic (a = −0.75) differs even when
  // enlarging.
  return config_.enlarge == Enlarge::bicubic ? at::_upsample_bicubic2d_aa(low, {height, width}, false)
                                             : at::_upsample_bilinear2d_aa(low, {height, width}, false);
}

}  // namespace unclip::upsampler
