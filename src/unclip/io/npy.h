// NumPy's file of one array.
#pragma once
#include <torch/types.h>

#include <filesystem>

namespace unclip::io {

/// Writes a float32 or int64 tensor as a .npy file (format 1.0), atomically.
void write_npy(const std::filesystem::path& path, const torch::Tensor& values);

}  // namespace unclip::io
