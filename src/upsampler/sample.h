// Enlarging pictures (unCLIP §2.1): no caption, no guidance.
#pragma once
#include "unclip/diffusion/sampler.h"
#include "unclip/upsampler/upsampler.h"

namespace unclip::upsampler {

/// low [N, 3, h, w] in −1…1 -> [N, 3, h · size / low_size, w · size / low_size] in −1…1.
Tensor sample(Upsampler& model,
              const Tensor& low,
              const diffusion::SamplerConfig& sampler,
              const diffusion::SamplingHooks& hooks);

}  // namespace unclip::upsampler
