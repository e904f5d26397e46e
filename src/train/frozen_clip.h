// The trained CLIP that prior and decoder learn from: frozen (unCLIP Fig. 2), with its tokenizer.
#pragma once
#include <filesystem>
#include <memory>

#include "unclip/clip/clip.h"
#include "unclip/text/tokenizer.h"

namespace unclip::train {

struct FrozenClip {
  clip::Clip model{nullptr};
  std::shared_ptr<const text::Tokenizer> tokenizer;
  nn::TextEncoding null_text;  // the empty caption, N = 1

  nn::TextEncoding encode_text(const std::vector<std::string>& captions) const;
  /// pictures in −1…1 [N, 3, H, W] -> z_i [N, D] float32
  torch::Tensor encode_image(const torch::Tensor& pictures) const;
};

/// Reads a run of `train clip` (its averaged weights) or a model directory with a stage "clip".
FrozenClip load_frozen_clip(const std::filesystem::path& folder, torch::ScalarType compute_dtype);

}  // namespace unclip::train
