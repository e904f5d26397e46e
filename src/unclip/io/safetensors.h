// Tensors in safetensors files: mapped, not read, so that a model starts at once and shares its pages with
// other processes.
#pragma once
#include <torch/types.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "unclip/io/safetensors_header.h"

namespace unclip::io {

class MappedFile;

using NamedTensors = std::map<std::string, torch::Tensor>;

class SafetensorsFile {
 public:
  /// Maps the file and checks its header; Error(io) or Error(checkpoint) names `path`.
  explicit SafetensorsFile(const std::filesystem::path& path);

  const Metadata& metadata() const { return metadata_; }
  const std::map<std::string, TensorEntry>& entries() const { return entries_; }
  bool contains(const std::string& name) const { return entries_.count(name) > 0; }
  /// A CPU tensor on the mapping, which lives as long as any of its tensors. Changing it changes this
  /// process's copy only. Error(checkpoint) if there is none of that name.
  torch::Tensor tensor(const std::string& name) const;
  NamedTensors tensors() const;

 private:
  std::shared_ptr<const MappedFile> file_;
  std::map<std::string, TensorEntry> entries_;
  Metadata metadata_;
};

/// Writes atomically, in the reference implementation's order (element size falling, then name): equal
/// tensors give equal bytes.
void write_safetensors(const std::filesystem::path& path,
                       const NamedTensors& tensors,
                       const Metadata& metadata = {});

}  // namespace unclip::io
