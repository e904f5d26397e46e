// Drawing z_i from the diffusion prior (unCLIP §2.2).
#pragma once
#include "unclip/diffusion/sampler.h"
#include "unclip/prior/diffusion_prior.h"
#include "unclip/prior/prior_input.h"

namespace unclip::prior {

/// z_i [N, D] as CLIP gives it (unscaled). Noise is asked for N · candidates rows, candidates of one caption
/// side by side.
Tensor sample(DiffusionPrior& model,
              const PriorInput& input,
              const PriorSampling& sampling,
              const diffusion::SamplingHooks& hooks);

}  // namespace unclip::prior
