// Which pixels of a picture are repainted, and keeping all the others as they were.
#pragma once
#include <torch/types.h>

namespace unclip::manipulate {

/// bool [H, W] of a mask picture, uint8 [H, W, 3 or 4]: true (repaint) where it is white, or, if any of it is
/// transparent, where its alpha is 0. Between both the nearer one counts. Error(data) if nothing is to be
/// repainted.
torch::Tensor repaint_mask(const torch::Tensor& pixels);

/// The mask at `side` × `side`, bool [1, 1, side, side]: a pixel is repainted if any part of it is. `mask` is
/// square.
torch::Tensor resize_mask(const torch::Tensor& mask, int64_t side);

/// A picture and its mask in the middle of a square, as models need them.
struct Canvas {
  torch::Tensor pixels;                              // uint8 [S, S, 3]; around the picture white
  torch::Tensor mask;                                // bool [S, S]; around the picture false
  int64_t top = 0, left = 0, height = 0, width = 0;  // where the picture lies
};
/// `pixels` uint8 [H, W, 3], `mask` bool [H, W]; Error(data) unless they are of one size.
Canvas make_canvas(const torch::Tensor& pixels, const torch::Tensor& mask);

/// `original` uint8 [H, W, 3 or 4] with the repainted pixels of `drawn` uint8 [H, W, 3], there opaque. All
/// other pixels are the original's, bit for bit.
torch::Tensor compose(const torch::Tensor& original, const torch::Tensor& drawn, const torch::Tensor& mask);

}  // namespace unclip::manipulate
