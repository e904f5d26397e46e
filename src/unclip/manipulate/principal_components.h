// What the principal components of CLIP's image embeddings stand for: probes of unCLIP §4, Fig. 7.
#pragma once
#include "unclip/prior/embedding_pca.h"

namespace unclip::manipulate {

using prior::PrincipalComponents;  // basis [K, D]: K of D components may be kept

/// K.
inline int64_t count(const PrincipalComponents& components) { return components.basis.size(0); }

/// Fits to embeddings [N, D], each brought to unit length: all D axes, fewer if N − 1 < D, as further ones
/// have no variance. Error(data) unless N ≥ 2.
PrincipalComponents fit_principal_components(const torch::Tensor& embeddings);

/// mean + Σ_{j ≤ k} ⟨ẑ_i − mean, basis_j⟩ basis_j of each ẑ_i = z_i / ‖z_i‖, times ‖z_i‖: what the first k
/// components keep of z_i [N, D]. k = D is the identity. Error(usage) unless 1 ≤ k ≤ K.
torch::Tensor project(const torch::Tensor& z_i, const PrincipalComponents& components, int64_t k);

}  // namespace unclip::manipulate
