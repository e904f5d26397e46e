// What can be read off the shapes of a file's tensors, for files that come without a configuration.
#pragma once
#include <string>

#include "unclip/base/error.h"
#include "unclip/io/safetensors.h"

namespace unclip::io {

class TensorShapes {
 public:
  /// `tensors` and `where` must outlive this. `complaint` begins an error, for instance "is no Karlo
  /// decoder".
  TensorShapes(const NamedTensors& tensors, const std::string& where, std::string complaint)
      : tensors_(tensors), where_(where), complaint_(std::move(complaint)) {}

  const std::string& where() const { return where_; }
  bool has(const std::string& name) const { return tensors_.contains(name); }
  /// Size of a tensor that must be there with as many dimensions; Error(checkpoint) else.
  int64_t size(const std::string& name, int64_t dimension, int64_t dimensions) const {
    const auto found = tensors_.find(name);
    check(found != tensors_.end(), ErrorKind::checkpoint, where_, " ", complaint_, ": it lacks '", name, "'");
    check(found->second.dim() == dimensions && found->second.numel() > 0, ErrorKind::checkpoint, where_,
          ": '", name, "' has ", found->second.dim(), " dimensions, expected ", dimensions);
    return found->second.size(dimension);
  }
  /// How many of `prefix`0`suffix`, `prefix`1`suffix`, … are there.
  int64_t count(const std::string& prefix, const std::string& suffix) const {
    int64_t found = 0;
    while (has(prefix + std::to_string(found) + suffix)) ++found;
    return found;
  }

 private:
  const NamedTensors& tensors_;
  const std::string& where_;
  std::string complaint_;
};

}  // namespace unclip::io
