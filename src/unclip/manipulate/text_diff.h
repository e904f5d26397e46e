// Language-guided edits: text diffs (unCLIP §3.3).
#pragma once
#include <torch/types.h>

namespace unclip::manipulate {

/// z_d = norm(z_t − z_t0): the direction from one caption to another. Both embeddings [N, D] are brought to
/// unit length first, as CLIP compares them. Error(numeric) where the captions mean the same to CLIP.
torch::Tensor text_diff(const torch::Tensor& z_t, const torch::Tensor& z_t0);

/// z_θ = slerp(z_i, z_d, θ), with the length of z_i: [N, D]. θ 0 gives z_i; the paper goes up to 0.25…0.5.
torch::Tensor edited(const torch::Tensor& z_i, const torch::Tensor& z_d, double theta);

}  // namespace unclip::manipulate
