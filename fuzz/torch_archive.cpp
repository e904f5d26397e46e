// Any bytes as a PyTorch archive: an Error, or tensors that all lie in the file. As a pickle alone, too: the
// zip structure around it is hard to guess.
#include "unclip/io/torch_archive.h"

#include <cstdlib>

#include "unclip/base/error.h"
#include "unclip/io/pickle.h"

namespace {

/// The last byte that a tensor reaches lies before the file's end.
void check_inside(const unclip::io::TensorPlace& place, size_t size) {
  uint64_t last = 0;
  for (size_t i = 0; i < place.shape.size(); ++i) {
    if (place.shape[i] == 0) return;
    last += static_cast<uint64_t>(place.shape[i] - 1) * static_cast<uint64_t>(place.strides[i]);
  }
  if (place.begin + (last + 1) * static_cast<uint64_t>(unclip::io::dtype_size(place.dtype)) > size)
    std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    for (const auto& [name, place] : unclip::io::parse_torch_archive({data, size}, "input")) {
      check_inside(place, size);
    }
  } catch (const unclip::Error&) {
  }
  try {
    const auto any = [](std::string_view) { return true; };
    const unclip::io::Pickle pickle = unclip::io::read_pickle({data, size}, any, "input");
    for (const auto& value : pickle.values) {
      for (const uint32_t item : value.items) {
        if (item >= pickle.values.size()) std::abort();
      }
    }
  } catch (const unclip::Error&) {
  }
  return 0;
}
