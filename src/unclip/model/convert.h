// Models from one layout into another. Tensors keep their bytes unless a type is asked for, so that a model
// converted there and back is the same file for file of weights.
#pragma once
#include <torch/types.h>

#include <filesystem>
#include <optional>

namespace unclip::model {

/// Our self-describing folder, or the one of Hugging Face's libraries (diffusers, transformers).
enum class TargetLayout { unclip, hugging_face };

struct ConvertRequest {
  std::filesystem::path from;
  std::filesystem::path to;  // a new folder
  TargetLayout layout = TargetLayout::unclip;
  std::optional<torch::ScalarType> dtype = std::nullopt;  // of floating-point weights; otherwise the source's
  std::filesystem::path vocabulary;                       // CLIP's own tokens, for models that come without
};

/// Error(io) if `to` exists or cannot be made, or `from` is no model; Error(config) if the layout cannot say
/// what the model is. A failure leaves no folder behind.
void convert_model(const ConvertRequest& request);

}  // namespace unclip::model
