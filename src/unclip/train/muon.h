// Muon (Jordan et al. 2024): the momentum of a weight matrix is replaced by the nearest matrix whose rows (or
// columns) are orthonormal, so that all directions of the layer learn equally fast.
#pragma once
#include <torch/types.h>

#include <string>

namespace unclip::train {

/// Whether Muon suits a parameter: weights of hidden layers, [out, in] or [out, in, h, w]. Embeddings, the
/// first and the last convolution, biases and norms keep AdamW, as Jordan advises.
bool is_hidden_matrix(const std::string& name, const torch::Tensor& parameter);

/// U Vᵀ of the singular value decomposition U S Vᵀ of `matrix` [M, N], float32, by five steps of the quintic
/// Newton-Schulz iteration: singular values come to lie within 0.7…1.2, which is near enough for an update.
torch::Tensor orthogonalized(const torch::Tensor& matrix);

/// 0.2 √max(M, N): the update's elements get the root mean square that AdamW's have (Liu et al. 2025, §2.2),
/// so that both share learning rate and weight decay.
double muon_scale(const torch::Tensor& matrix);

}  // namespace unclip::train
