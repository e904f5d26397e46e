// The best of several z_i for one caption (unCLIP §2.2).
#pragma once
#include <torch/types.h>

#include <cstdint>
#include <vector>

namespace unclip::prior {

/// Of each row's candidates z_i [N, C, D], the one with the largest dot product with z_t [N, D].
torch::Tensor best_by_dot_product(const torch::Tensor& candidates, const torch::Tensor& z_t);

/// A seed for each candidate of each picture, candidates of one picture side by side; the first has the
/// picture's own.
std::vector<uint64_t> candidate_seeds(const std::vector<uint64_t>& seeds, int64_t candidates);

}  // namespace unclip::prior
