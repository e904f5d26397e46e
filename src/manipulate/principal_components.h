// What the principal components of CLIP's image embeddings stand for: probes of unCLIP §4, Fig. 7.
#pragma once
#include <torch/types.h>

namespace unclip::manipulate {

/// The axes of a set of embeddings, by falling variance.
struct PrincipalComponents {
  torch::Tensor mean;       // [D] float64
  torch::Tensor axes;       // [K, D] float64, orthonormal rows
  torch::Tensor variances;  // [K] float64, falling

  int64_t count() const { return axes.size(0); }
};

/// Fits to embeddings [N, D]: all D axes, fewer if N − 1 < D, as further ones have no variance. Error(data)
/// unless N ≥ 2.
PrincipalComponents fit_principal_components(const torch::Tensor& embeddings);

/// mean + Σ_{j ≤ k} ⟨z_i − mean, axis_j⟩ axis_j: what the first k components keep of z_i [N, D]. k = D is the
/// identity. Error(usage) unless 1 ≤ k ≤ count().
torch::Tensor project(const torch::Tensor& z_i, const PrincipalComponents& components, int64_t k);

}  // namespace unclip::manipulate
