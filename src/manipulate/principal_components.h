// What the principal components of CLIP's image embeddings stand for: probes of unCLIP §4, Fig. 7.
#pragma once
#include <torch/types.h>

namespace unclip::manipulate {

/// The axes of a set of embeddings of unit length, by falling variance.
struct PrincipalComponents {
  torch::Tensor mean;         // [D] float64
  torch::Tensor basis;        // [K, D] float64, orthonormal rows
  torch::Tensor eigenvalues;  // [K] float64: the variance along each, falling

  int64_t count() const { return basis.size(0); }
  /// Share of the variance that the first k components hold.
  double share(int64_t k) const;
};

/// Fits to embeddings [N, D], each brought to unit length: all D axes, fewer if N − 1 < D, as further ones
/// have no variance. Error(data) unless N ≥ 2.
PrincipalComponents fit_principal_components(const torch::Tensor& embeddings);

/// mean + Σ_{j ≤ k} ⟨ẑ_i − mean, basis_j⟩ basis_j of each ẑ_i = z_i / ‖z_i‖, times ‖z_i‖: what the first k
/// components keep of z_i [N, D]. k = D is the identity. Error(usage) unless 1 ≤ k ≤ count().
torch::Tensor project(const torch::Tensor& z_i, const PrincipalComponents& components, int64_t k);

}  // namespace unclip::manipulate
