#include "unclip/prior/candidates.h"

namespace unclip::prior {

torch::Tensor best_by_dot_product(const torch::Tensor& candidates, const torch::Tensor& z_t) {
  const torch::Tensor dots = candidates.matmul(z_t.to(candidates.scalar_type()).unsqueeze(2)).squeeze(2);
  const torch::Tensor best = dots.argmax(1).view({-1, 1, 1}).expand({-1, 1, candidates.size(2)});
  return candidates.gather(1, best).squeeze(1);
}

std::vector<uint64_t> candidate_seeds(const std::vector<uint64_t>& seeds, int64_t candidates) {
  std::vector<uint64_t> result;
  result.reserve(seeds.size() * static_cast<size_t>(candidates));
  for (const uint64_t seed : seeds) {
    for (uint64_t c = 0; c < static_cast<uint64_t>(candidates); ++c)
      result.push_back(seed + c * 0x9E3779B97F4A7C15ULL);
  }
  return result;
}

}  // namespace unclip::prior
