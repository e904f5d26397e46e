// Enlarging pictures (unCLIP §2.1): no caption, no guidance.
#pragma once
#include "unclip/diffusion/sampler.h"
#include "unclip/upsampler/upsampler.h"

namespace unclip::upsampler {

/// x̂_0(x_t, t) given the low-resolution picture, already enlarged to the new size.
diffusion::Denoiser denoiser(Upsampler& model, const Tensor& enlarged);

/// low [N, 3, h, w] in −1…1 -> [N, 3, h · size / low_size, w · size / low_size] in −1…1.
Tensor sample(Upsampler& model,
              const Tensor& low,
              const diffusion::SamplerConfig& sampler,
              const diffusion::SamplingHooks& hooks);

}  // namespace unclip::upsampler
