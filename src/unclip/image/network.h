// Pictures as networks see them: float32 [N, 3, H, W], channels-last in memory.
#pragma once
#include <torch/types.h>

#include <array>

#include "unclip/image/resample.h"

namespace unclip::image {

/// uint8 [H, W, 3] -> [1, 3, H, W] in −1…1.
torch::Tensor to_network(const torch::Tensor& pixels);
/// [N, 3, H, W] in −1…1 -> uint8 [N, H, W, 3], rounded; what lies outside is clamped, NaN is black.
torch::Tensor to_pixels(const torch::Tensor& pictures);

/// Statistics of CLIP's training pictures in 0…1 (Radford et al. 2021).
struct Normalization {
  std::array<float, 3> mean{0.48145466F, 0.4578275F, 0.40821073F};
  std::array<float, 3> std{0.26862954F, 0.26130258F, 0.27577711F};
};

/// How a picture gets the size of a network's input: by its shorter side and a crop in the middle, or both
/// sides at once. An odd rest of the crop leaves one pixel more below and to the right, or (torchvision) half
/// of it is rounded to even.
enum class Fit { crop, crop_rounded, squash };

/// How an image encoder wants its pictures; the defaults are CLIP's.
struct Preprocessing {
  int64_t shorter_side = 224;  // before the crop
  Filter filter = Filter::bicubic;
  int64_t height = 224, width = 224;  // of the result
  Normalization normalization{};
  Fit fit = Fit::crop;
};

/// uint8 [H, W, 3] -> uint8 [height, width, 3], equal to Pillow's bit for bit: resized until the shorter side
/// fits (the longer one rounded down) and cropped, or squashed.
torch::Tensor fit_picture(const torch::Tensor& pixels, const Preprocessing& settings);
/// uint8 [H, W, 3] -> (x / 255 − mean) / std, [1, 3, H, W].
torch::Tensor standardize(const torch::Tensor& pixels, const Normalization& normalization);
/// Both -> [1, 3, height, width].
torch::Tensor preprocess(const torch::Tensor& pixels, const Preprocessing& settings);
/// The same with the square of CLIP.
torch::Tensor clip_preprocess(const torch::Tensor& pixels,
                              int64_t size,
                              const Normalization& normalization = {});

}  // namespace unclip::image
