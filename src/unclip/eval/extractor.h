// Networks that turn pictures into the features on which sets of pictures are compared.
#pragma once
#include <torch/types.h>

#include <filesystem>
#include <memory>
#include <string>

#include "unclip/pipeline/clip_encoder.h"

namespace unclip::eval {

class FeatureExtractor {
 public:
  virtual ~FeatureExtractor() = default;
  /// For people, and what feature files are compared by: "CLIP of emoji 1".
  virtual std::string name() const = 0;
  /// Another text whenever the features may be others: part of the keys of caches.
  virtual std::string identity() const = 0;
  virtual int64_t width() const = 0;
  /// uint8 [H, W, 3] -> the network's input, float32 [1, 3, S, S]. May be called from several threads.
  virtual torch::Tensor prepare(const torch::Tensor& pixels) const = 0;
  /// Inputs [N, 3, S, S] -> float32 [N, width].
  virtual torch::Tensor features(const torch::Tensor& inputs) const = 0;
  /// The CLIP that also reads captions; null if there is none.
  virtual const pipeline::ClipEncoder* clip() const { return nullptr; }
};

/// A CLIP of any layout (both towers): z_i of pictures prepared as it wants them. A
/// file with weights of pytorch-fid's Inception: pool3 of the whole picture. `vocabulary` is the folder of
/// CLIP's own tokens, for models that come without any.
std::unique_ptr<FeatureExtractor> open_extractor(const std::filesystem::path& path,
                                                 const std::filesystem::path& vocabulary,
                                                 torch::ScalarType compute_dtype);

/// What tells one state of a file from another: path, size, time of the last change.
std::string file_identity(const std::filesystem::path& file);
/// The same of a folder: of all files in it.
std::string folder_identity(const std::filesystem::path& folder);

}  // namespace unclip::eval
