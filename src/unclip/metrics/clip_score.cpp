#include "unclip/metrics/clip_score.h"

#include "unclip/base/error.h"

namespace unclip::metrics {
namespace {

torch::Tensor unit_rows(const torch::Tensor& features) {
  const torch::Tensor x = features.to(torch::kFloat64);
  return x / x.norm(2, 1, true).clamp_min(1e-12);
}

}  // namespace

torch::Tensor pair_cosines(const torch::Tensor& z_i, const torch::Tensor& z_t) {
  check(z_i.sizes() == z_t.sizes(), ErrorKind::shape, "pictures have embeddings ", z_i.sizes(),
        ", their captions ", z_t.sizes(), ": expected as many of the same width");
  return (unit_rows(z_i) * unit_rows(z_t)).sum(1);
}

double mean_pairwise_distance(const torch::Tensor& features) {
  check(features.size(0) >= 2, ErrorKind::data, "distances between pictures need at least two, got ",
        features.size(0));
  // Σ_{i≠j} cos = ‖Σ_i x_i‖² − N for rows of unit length.
  const auto n = static_cast<double>(features.size(0));
  const double all = unit_rows(features).sum(0).square().sum().item<double>();
  return 1 - (all - n) / (n * (n - 1));
}

}  // namespace unclip::metrics
