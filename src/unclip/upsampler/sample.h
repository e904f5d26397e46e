// Enlarging pictures (unCLIP §2.1): no caption, no guidance.
#pragma once
#include <functional>

#include "unclip/diffusion/sampler.h"
#include "unclip/upsampler/upsampler.h"

namespace unclip::upsampler {

/// The nets of the steps: one for all, or another one for the last step (Karlo), of the same diffusion.
struct StepNets {
  Upsampler net{nullptr};
  Upsampler last_step{nullptr};
  /// Instead of `last_step`: loads that net when the last step has come, after `net` is released.
  std::function<Upsampler()> load_last_step{};
};

/// x̂_0(x_t, t) given the low-resolution picture, already enlarged to the new size; `sampler` says which step
/// is the last.
diffusion::Denoiser denoiser(StepNets nets, const diffusion::SamplerConfig& sampler, const Tensor& enlarged);

/// low [N, 3, h, w] in −1…1 -> [N, 3, h · size / low_size, w · size / low_size] in −1…1.
Tensor sample(StepNets nets,
              const Tensor& low,
              const diffusion::SamplerConfig& sampler,
              const diffusion::SamplingHooks& hooks);

}  // namespace unclip::upsampler
