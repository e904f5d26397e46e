// Named tensors into and out of modules, strictly.
#pragma once
#include <torch/nn/module.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "unclip/io/safetensors.h"

namespace unclip::io {

/// "'a', 'b', 'c' and 12 more": for errors.
std::string list_names(const std::vector<std::string>& names);

/// All parameters and buffers of `module` by their path; the tensors are shared, not copied.
NamedTensors state_of(const torch::nn::Module& module);

/// Error(checkpoint) beginning with `where` unless `source` holds the names and shapes of `expected` and no
/// others.
void check_fit(const NamedTensors& expected, const NamedTensors& source, const std::string& where);

struct LoadOptions {
  /// Convert floating-point values to this type; otherwise they stay as they are, on the mapped file.
  std::optional<torch::ScalarType> dtype = std::nullopt;
  /// Small tensors are copied to where LibTorch would put them: in a file they may begin at any byte, and on
  /// some processors that decides in which order a product is added up. Large ones stay in the file.
  bool aligned = false;
};

/// Lets every parameter and buffer of `module` (on the CPU, values not yet needed) take the tensor of its
/// name. Missing, unexpected and misshapen tensors are one Error(checkpoint) beginning with `where`; then the
/// module is unchanged.
void load_state(torch::nn::Module& module,
                const NamedTensors& source,
                const std::string& where,
                const LoadOptions& options = {});

struct SaveOptions {
  Metadata metadata = {};
  std::optional<torch::ScalarType> dtype = std::nullopt;  // of floating-point values
};

/// Writes state_of(module) as a safetensors file, atomically.
void save_state(const torch::nn::Module& module,
                const std::filesystem::path& path,
                const SaveOptions& options = {});

}  // namespace unclip::io
