#include "unclip/prior/embedding_code.h"

namespace unclip::prior {

torch::Tensor EmbeddingCode::encode(const torch::Tensor& z) const {
  const torch::Tensor score = (z.to(torch::kFloat32) - mean).matmul(basis.t()) / std.clamp_min(1e-12);
  const double buckets_per_std = static_cast<double>(buckets) / (2 * range);
  return ((score + range) * buckets_per_std).floor().clamp(0, buckets - 1).to(torch::kLong);
}

torch::Tensor EmbeddingCode::decode(const torch::Tensor& codes) const {
  const double bucket = 2 * range / static_cast<double>(buckets);
  const torch::Tensor score = (codes.to(torch::kFloat32) + 0.5) * bucket - range;
  return (score * std).matmul(basis) + mean;
}

}  // namespace unclip::prior
