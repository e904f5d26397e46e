// Tensors on the bytes of a mapped file.
#pragma once
#include <torch/types.h>

#include <memory>
#include <optional>

#include "unclip/io/tensor_place.h"

namespace unclip::io {

class MappedFile;

torch::ScalarType scalar_type(Dtype dtype);
/// Nothing for types that no file of ours holds.
std::optional<Dtype> dtype_of(torch::ScalarType type);

/// A CPU tensor on the mapping, which lives as long as the tensor. Changing it changes this process's copy
/// only.
torch::Tensor mapped_tensor(const std::shared_ptr<const MappedFile>& file, const TensorPlace& place);

}  // namespace unclip::io
