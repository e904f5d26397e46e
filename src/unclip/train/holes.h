// The holes of pictures that a decoder learns to fill (GLIDE, Nichol et al. 2022, §2.3: random regions are
// erased).
#pragma once
#include <torch/types.h>

#include "unclip/base/noise.h"

namespace unclip::train {

/// bool [count, 1, size, size], true in the hole. Of five pictures one is erased as a whole, so that drawing
/// without surroundings is not forgotten; the others lose one to three rectangles with sides of 1/8 to 3/4 of
/// the picture's, which may stick out of it. Row k depends on the key and k alone.
torch::Tensor random_holes(int64_t count, int64_t size, const NoiseKey& key);

}  // namespace unclip::train
