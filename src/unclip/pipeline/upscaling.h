// Enlarging any picture by a model's upsamplers (unCLIP §2.1), which ask for neither caption nor z_i.
#pragma once
#include "unclip/pipeline/unclip.h"

namespace unclip::pipeline {

struct NamedPicture {
  std::string name;      // in messages
  torch::Tensor pixels;  // uint8 [H, W, 3] of any size
};

struct UpscaleRequest {
  std::vector<NamedPicture> pictures;
  /// The shorter side that pictures are reduced to first, one that an upsampler begins at (64, 256, …);
  /// absent: the largest that a picture reaches.
  std::optional<int64_t> from;
  std::vector<uint64_t> seeds;  // one per picture
  SamplingOptions sampling;     // size: the shorter side of the results; steps and sampler of the upsamplers
};

struct Upscaled {
  std::vector<torch::Tensor> pictures;  // uint8 [H', W', 3], in the proportions of what came in
  std::vector<std::string> warnings;    // of pictures that were reduced first
};

/// Error(usage) for a picture that is too small, too long or large already; nothing is computed before all
/// are checked.
Upscaled upscale(const Unclip& model, const UpscaleRequest& request, Progress& progress);

}  // namespace unclip::pipeline
