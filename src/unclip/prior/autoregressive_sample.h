// Drawing z_i from the autoregressive prior (unCLIP §2.2).
#pragma once
#include <functional>

#include "unclip/prior/autoregressive_prior.h"
#include "unclip/prior/prior_input.h"

namespace unclip::prior {

struct CodeHooks {
  NoiseSource uniform;            // picture_uniforms(seeds, "ar_prior"): one number per picture and step
  std::function<void()> on_code;  // after each step; may be empty
};

/// One code per row of logits [N, buckets]: softmax(logits / temperature), cut to its most likely part with
/// the probability `top_p`, at the quantile u [N] in [0, 1). Buckets are passed through in their order, so
/// that rounding can move a draw to the neighbouring bucket but no further.
Tensor draw_code(const Tensor& logits, const CodeSampling& sampling, const Tensor& u);

/// z_i [N, D] as CLIP gives it, of length 1 if the model writes it so. Uniform numbers are asked for
/// N · candidates rows, candidates of one caption side by side: step kInitialNoise for z_i·z_t, k for code k.
Tensor sample(AutoregressivePrior& model,
              const PriorInput& input,
              const CodeSampling& sampling,
              const CodeHooks& hooks);

}  // namespace unclip::prior
