// Drawing z_i from the diffusion prior (unCLIP §2.2).
#pragma once
#include "unclip/diffusion/sampler.h"
#include "unclip/prior/diffusion_prior.h"

namespace unclip::prior {

struct PriorInput {
  nn::TextEncoding text;       // N captions
  nn::TextEncoding null_text;  // the empty caption, N = 1
};

/// z_i [N, D] as CLIP gives it (unscaled). Noise is asked for N · candidates rows, candidates of one caption
/// side by side.
Tensor sample(DiffusionPrior& model,
              const PriorInput& input,
              const PriorSampling& sampling,
              const diffusion::SamplingHooks& hooks);

/// Of each row's candidates z_i [N, C, D], the one with the largest dot product with z_t [N, D] (unCLIP
/// §2.2).
Tensor best_by_dot_product(const Tensor& candidates, const Tensor& z_t);

}  // namespace unclip::prior
