// How the low-resolution input of an upsampler is spoilt in training, so that it forgives the stage before it
// (unCLIP §2.1). All chance comes from the key: the same key spoils in the same way.
#pragma once
#include <torch/types.h>

#include "unclip/base/noise.h"

namespace unclip::image {

struct BlurOptions {
  int64_t kernel = 3;  // odd
  double sigma = 0.6;  // pixels; Saharia et al. 2021 for the first upsampler
};

/// Gaussian blur of float pictures [N, C, H, W] with reflected borders.
torch::Tensor gaussian_blur(const torch::Tensor& pictures, const BlurOptions& options = {});

/// BSR degradation (Zhang et al. 2021) in the light variant of latent diffusion (Rombach et al. 2022): blur,
/// two resizings, Gaussian noise and JPEG in random order, then JPEG again. uint8 [H, W, 3] -> uint8 [⌊H /
/// factor⌋, ⌊W / factor⌋, 3]; a factor of 1 spoils without making smaller.
torch::Tensor bsr_degrade(const torch::Tensor& pixels, int64_t factor, const NoiseKey& key);

}  // namespace unclip::image
