// Any bytes as a safetensors file: an Error, or a header that describes exactly the file.
#include "unclip/io/safetensors_header.h"

#include <cstdlib>

#include "unclip/base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const auto header = unclip::io::parse_safetensors_header({data, size}, size, "input");
    uint64_t at = header.tensors.empty() ? size : header.tensors.front().begin;
    for (const auto& tensor : header.tensors) {
      if (tensor.begin != at || tensor.end < tensor.begin) std::abort();
      at = tensor.end;
    }
    if (at != size) std::abort();
  } catch (const unclip::Error&) {
  }
  return 0;
}
