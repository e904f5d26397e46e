// Antialiased resizing, equal to Pillow's bit for bit (resample.h).
#pragma once
#include <torch/types.h>

#include "unclip/image/resample.h"

namespace unclip::image {

/// uint8 [H, W, 1, 3 or 4] -> uint8 [height, width, same]. Colours of RGBA are weighted by their alpha.
torch::Tensor resize(const torch::Tensor& pixels, int64_t height, int64_t width, Filter filter);
/// As training pictures are: averages of whole pixels where both factors are whole numbers, else bicubic.
torch::Tensor resize(const torch::Tensor& pixels, int64_t height, int64_t width);

}  // namespace unclip::image
