// safetensors files: tensors by name, mapped from disk when read, written atomically.
#pragma once
#include <torch/types.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "unclip/io/mapped_file.h"
#include "unclip/io/safetensors_header.h"

namespace unclip::io {

using NamedTensors = std::vector<std::pair<std::string, torch::Tensor>>;
using Metadata = std::map<std::string, std::string>;

class SafetensorsFile {
 public:
  /// Error(io) if the file is missing, Error(checkpoint) if it is damaged.
  explicit SafetensorsFile(const std::filesystem::path& path);

  /// Views into the mapped file, which lives as long as they do. They must not be written to.
  torch::Tensor tensor(const std::string& name) const;
  NamedTensors tensors() const;
  bool contains(const std::string& name) const { return by_name_.contains(name); }
  const std::vector<SafetensorsEntry>& entries() const { return header_.entries; }
  const Metadata& metadata() const { return header_.metadata; }
  const std::string& path() const { return path_; }

 private:
  torch::Tensor view(const SafetensorsEntry& entry) const;
  std::string path_;
  std::shared_ptr<const MappedFile> file_;
  SafetensorsHeader header_;
  std::map<std::string, size_t> by_name_;
};

/// Writes the tensors in the given order; equal contents give equal bytes.
void write_safetensors(const std::filesystem::path& path,
                       const NamedTensors& tensors,
                       const Metadata& metadata = {});

/// "BF16" for torch::kBFloat16 and so on. Error(shape) for types the format lacks.
std::string safetensors_dtype(torch::ScalarType type);

}  // namespace unclip::io
