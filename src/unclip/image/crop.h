// Parts of pictures, uint8 [H, W, C]. Nothing here is random: positions are arguments.
#pragma once
#include <torch/types.h>

namespace unclip::image {

/// The part of `height` × `width` pixels from (top, left) on. Error(shape) if it does not lie inside.
torch::Tensor crop(const torch::Tensor& pixels, int64_t top, int64_t left, int64_t height, int64_t width);
/// The middle; odd rests leave one pixel more below and to the right.
torch::Tensor center_crop(const torch::Tensor& pixels, int64_t height, int64_t width);
/// A square at the place that `u` (across) and `v` (down) in [0, 1) choose evenly among all.
torch::Tensor random_crop(const torch::Tensor& pixels, int64_t side, double u, double v);
/// The picture in the middle of a square of its longer side, on grey of this `level` (opaque; white: 255).
torch::Tensor pad_to_square(const torch::Tensor& pixels, uint8_t level = 255);

}  // namespace unclip::image
