// Spherical interpolation (Shoemake 1985), with which unCLIP moves in CLIP's space and between latents (§3.2,
// §3.3).
#pragma once
#include <torch/types.h>

namespace unclip::manipulate {

/// [sin((1 − θ)Ω) a + sin(θΩ) b] / sin Ω of each row, Ω the angle between the row's vectors: θ in 0…1 is a
/// fraction of that angle. a and b are [N, …] of equal shape, a row is one vector whatever its axes; vectors
/// of one length keep it. Where Ω is next to nothing a straight line takes its place. Error(shape) for
/// unequal shapes, Error(numeric) for vectors that are opposite or zero, between which no shortest way
/// exists.
torch::Tensor slerp(const torch::Tensor& a, const torch::Tensor& b, double theta);

/// `count` fractions from 0 to `last`, evenly spread, both ends included; 0 alone if count is 1.
std::vector<double> fractions(int64_t count, double last);

}  // namespace unclip::manipulate
