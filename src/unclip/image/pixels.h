// Checks that the functions of this room share.
#pragma once
#include <torch/types.h>

#include "unclip/base/error.h"

namespace unclip::image {

/// `pixels`, contiguous; Error(shape) unless they are uint8 [H, W, C] with a C from `least` to 4 (2 is none).
inline torch::Tensor checked_pixels(const torch::Tensor& pixels, int64_t least = 3) {
  const bool fits = pixels.scalar_type() == torch::kUInt8 && pixels.dim() == 3 && pixels.numel() > 0 &&
                    pixels.size(2) >= least && pixels.size(2) <= 4 && pixels.size(2) != 2;
  check(fits, ErrorKind::shape, "a picture has type ", pixels.scalar_type(), " and shape ", pixels.sizes(),
        ", expected uint8 [height, width, 3 or 4]");
  return pixels.contiguous();
}

}  // namespace unclip::image
