#include "unclip/metrics/fid.h"

#include "unclip/base/error.h"

namespace unclip::metrics {
namespace {

/// The symmetric square root; rounding may leave eigenvalues of a singular matrix just below zero.
torch::Tensor square_root(const torch::Tensor& symmetric) {
  const auto [values, vectors] = at::linalg_eigh(symmetric);
  return (vectors * values.clamp_min(0).sqrt()).matmul(vectors.t());
}

/// tr (Σ₁Σ₂)^{1/2}: the product has the eigenvalues of the symmetric Σ₁^{1/2} Σ₂ Σ₁^{1/2}, which need no
/// complex numbers.
double trace_of_root(const torch::Tensor& a, const torch::Tensor& b) {
  const torch::Tensor root = square_root(a), product = root.matmul(b).matmul(root);
  const torch::Tensor symmetric = (product + product.t()) / 2;
  return at::linalg_eigvalsh(symmetric).clamp_min(0).sqrt().sum().item<double>();
}

}  // namespace

double frechet_distance(const Gaussian& a, const Gaussian& b) {
  check(a.mean.sizes() == b.mean.sizes(), ErrorKind::shape, "features of width ", a.mean.size(0),
        " are compared with features of width ", b.mean.size(0), ": both must come from the same network");
  const double means = (a.mean - b.mean).square().sum().item<double>();
  const double spreads = (a.covariance.trace() + b.covariance.trace()).item<double>();
  return means + spreads - 2 * trace_of_root(a.covariance, b.covariance);
}

}  // namespace unclip::metrics
