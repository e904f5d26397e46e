// Where a tensor lies in a file, without LibTorch.
#pragma once
#include <cstdint>
#include <vector>

#include "unclip/io/safetensors_header.h"

namespace unclip::io {

/// Who makes one has checked that all elements lie in the file.
struct TensorPlace {
  Dtype dtype = Dtype::f32;
  std::vector<int64_t> shape, strides;  // strides in elements, none negative
  uint64_t begin = 0;                   // of the first element, bytes from the start of the file
};

}  // namespace unclip::io
