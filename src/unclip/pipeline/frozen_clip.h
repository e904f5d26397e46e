// A trained CLIP with its tokenizer, for whoever only looks through it: prior and decoder while they learn
// (unCLIP Fig. 2), and evaluation.
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "unclip/clip/clip.h"
#include "unclip/text/tokenizer.h"

namespace unclip::pipeline {

struct FrozenClip {
  clip::Clip model{nullptr};
  std::shared_ptr<const text::Tokenizer> tokenizer;
  nn::TextEncoding null_text;  // the empty caption, N = 1

  nn::TextEncoding encode_text(const std::vector<std::string>& captions) const;
  /// pictures in −1…1 [N, 3, H, W] -> z_i [N, D] float32
  torch::Tensor encode_image(const torch::Tensor& pictures) const;
};

/// Freezes `model`; `compute_dtype` is that of activations.
FrozenClip freeze(clip::Clip model, text::Tokenizer tokenizer, torch::ScalarType compute_dtype);

/// The stage "clip" of a model directory.
FrozenClip load_frozen_clip(const std::filesystem::path& folder, torch::ScalarType compute_dtype);

}  // namespace unclip::pipeline
