// Any bytes as a picture file: an Error, or pixels that can all be read.
#include <cstdlib>

#include "unclip/base/error.h"
#include "unclip/image/raw_picture.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr int64_t kMaxPixels = 1 << 16;  // small, so that the decoders are quick
  const std::string name = "input";
  try {
    const auto picture = unclip::image::decode_raw({{data, size}, name, kMaxPixels});
    unsigned sum = 0;
    for (size_t i = 0; i < picture.byte_count(); ++i) sum += picture.pixels[i];
    if (sum > 255U * picture.byte_count() || picture.orientation < 1 || picture.orientation > 8) std::abort();
  } catch (const unclip::Error&) {
  }
  return 0;
}
