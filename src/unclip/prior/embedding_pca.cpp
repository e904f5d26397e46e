#include "unclip/prior/embedding_pca.h"

#include "unclip/base/error.h"

namespace unclip::prior {

EmbeddingMoments::EmbeddingMoments(int64_t dimensions)
    : mean_(torch::zeros({dimensions}, torch::kFloat64)),
      scatter_(torch::zeros({dimensions, dimensions}, torch::kFloat64)) {}

void EmbeddingMoments::add(const torch::Tensor& z) {
  check(z.dim() == 2 && z.size(1) == mean_.size(0), ErrorKind::shape, "embeddings have shape ", z.sizes(),
        ", expected [N, ", mean_.size(0), "]");
  if (z.size(0) == 0) return;
  const torch::Tensor x = z.to(torch::kFloat64);
  const torch::Tensor batch_mean = x.mean(0), centred = x - batch_mean, shift = batch_mean - mean_;
  const auto before = static_cast<double>(count_), added = static_cast<double>(x.size(0));
  scatter_ += centred.t().matmul(centred) + shift.outer(shift) * (before * added / (before + added));
  mean_ += shift * (added / (before + added));
  count_ += x.size(0);
}

torch::Tensor EmbeddingMoments::covariance() const {
  check(count_ >= 2, ErrorKind::data, "a covariance was asked of ", count_,
        " embeddings, expected 2 or more");
  return scatter_ / static_cast<double>(count_ - 1);
}

PrincipalComponents principal_components(const EmbeddingMoments& moments) {
  const auto [values, vectors] = torch::linalg_eigh(moments.covariance());  // rising, columns
  torch::Tensor basis = vectors.t().flip(0).contiguous();
  // eigh leaves the sign open: without a rule a prior would not fit a basis that was computed elsewhere.
  const torch::Tensor largest = basis.gather(1, basis.abs().argmax(1, true));
  basis = basis * largest.sign();
  return {.mean = moments.mean().clone(), .basis = basis, .eigenvalues = values.flip(0).clamp_min(0)};
}

double reconstruction_error(const torch::Tensor& eigenvalues, int64_t kept) {
  const torch::Tensor values = eigenvalues.to(torch::kFloat64);
  const double all = values.sum().item<double>();
  return all > 0 ? values.slice(0, kept).sum().item<double>() / all : 0.0;
}

int64_t components_for(const torch::Tensor& eigenvalues, double error) {
  int64_t kept = 0;
  while (kept < eigenvalues.size(0) && reconstruction_error(eigenvalues, kept) > error) ++kept;
  return kept;
}

}  // namespace unclip::prior
