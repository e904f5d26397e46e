// Principal components of CLIP's image embeddings, in which the autoregressive prior writes z_i (unCLIP
// §2.2).
#pragma once
#include <torch/types.h>

namespace unclip::prior {

/// Mean and covariance of a stream of embeddings, in double precision whatever their type. Batches are merged
/// as in Chan, Golub & LeVeque 1979, so that nothing is kept but D + D² numbers.
class EmbeddingMoments {
 public:
  explicit EmbeddingMoments(int64_t dimensions);
  void add(const torch::Tensor& z);  // [N, D]
  int64_t count() const { return count_; }
  const torch::Tensor& mean() const { return mean_; }  // [D]
  torch::Tensor covariance() const;  // [D, D], divided by count − 1; Error(data) below two

 private:
  int64_t count_ = 0;
  torch::Tensor mean_;
  torch::Tensor scatter_;  // Σ (z − mean)(z − mean)ᵀ
};

/// All in double.
struct PrincipalComponents {
  torch::Tensor mean;         // [D]
  torch::Tensor basis;        // [D, D]: row k is component k, of length 1, its largest entry positive
  torch::Tensor eigenvalues;  // [D]: the variance along each, falling, none below 0
};
PrincipalComponents principal_components(const EmbeddingMoments& moments);

/// E‖z − ẑ‖² of rebuilding z from its first `kept` components, as a share of the variance E‖z − mean‖².
double reconstruction_error(const torch::Tensor& eigenvalues, int64_t kept);
/// The fewest components whose reconstruction error is at most `error` (unCLIP §2.2, footnote 1: 1 %).
int64_t components_for(const torch::Tensor& eigenvalues, double error);

}  // namespace unclip::prior
