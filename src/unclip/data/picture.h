// From a stored picture to the square of pixels that a model is trained on.
#pragma once
#include <torch/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace unclip::data {

struct PictureConfig {
  int64_t size = 64;
  double scale = 0;
  double shift = 0;
  double flip = 0;
  std::optional<int64_t> low_res = {};
  std::optional<int64_t> crop = {};
  static void fields(auto& self, auto&& field) {
    field("size", self.size, "side of the pictures in pixels");
    field("scale", self.scale, "augmentation: enlarge or shrink by up to this fraction (0 to 0.5)");
    field("shift", self.shift, "augmentation: move by up to this fraction of the side (0 to 0.5)");
    field("flip", self.flip,
          "augmentation: probability of a mirror image (0: drawings with letters stay legible)");
    field("low_res", self.low_res, "upsamplers: side of the low-resolution version; must divide size");
    field("crop", self.crop,
          "upsamplers: side of a random crop (paper: size / 4), a multiple of size / low_res");
  }
  /// Error(config) if a value is out of range.
  void validate() const;
  /// Sides of what sample_pixels returns.
  int64_t picture_side() const { return crop.value_or(size); }
  int64_t low_res_side() const { return low_res ? picture_side() / (size / *low_res) : 0; }
};

/// The random numbers in [0, 1) that one picture's augmentation uses, each for one purpose.
struct AugmentationDraw {
  double scale = 0.5, shift_x = 0.5, shift_y = 0.5, flip = 1, crop_x = 0, crop_y = 0;
};

/// Decodes a stored picture: RGB on white, the square in its middle, resized to `size` (area average when
/// shrinking by a whole factor, else antialiased bicubic). uint8 [size, size, 3]. Error(data) if it is
/// damaged; `name` is for the message.
torch::Tensor square_picture(std::span<const uint8_t> stored, const std::string& name, int64_t size);

/// The same of a picture that is decoded already: uint8 [H, W, 3].
torch::Tensor square_picture(const torch::Tensor& pixels, int64_t size);

struct SamplePixels {
  torch::Tensor picture;                 // uint8 [side, side, 3]
  std::optional<torch::Tensor> low_res;  // uint8 [side / k, side / k, 3], k = size / low_res
};

/// Augments a square picture, then makes its low-resolution version and crops both at the same place (unCLIP
/// §2.1: upsamplers are trained on random crops of a quarter of the side). Outside of the picture is white.
SamplePixels sample_pixels(const torch::Tensor& square,
                           const PictureConfig& config,
                           const AugmentationDraw& draw);

}  // namespace unclip::data
