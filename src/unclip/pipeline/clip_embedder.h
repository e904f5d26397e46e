// CLIP as a function: pictures and captions to embeddings.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "unclip/base/progress.h"
#include "unclip/pipeline/clip_model.h"

namespace unclip::pipeline {

/// What the text tower is given: ids and mask [N, L]. Captions that were cut get a warning. Error(checkpoint)
/// if the model has no text tower.
text::Tokens tokenize(const ClipModel& model,
                      std::span<const std::string> captions,
                      std::vector<std::string>* warnings = nullptr);

/// What the image tower is given: a picture uint8 [H, W, 3 or 4], fitted and normalised, [1, 3, S, S];
/// transparent ones are seen on white. Error(checkpoint) if the model has no image tower.
torch::Tensor preprocess(const ClipModel& model, const torch::Tensor& pixels);
/// The same of a picture file.
torch::Tensor preprocess(const ClipModel& model, const std::filesystem::path& picture);

class ClipEmbedder {
 public:
  /// Loads the model with parameters and activations of `dtype`.
  ClipEmbedder(ClipModel model, torch::ScalarType dtype);

  /// Embeddings as the projection gives them (clip::normalized makes unit length), float32 [N, D], `batch`
  /// captions at a time; see tokenize.
  torch::Tensor embed_captions(const std::vector<std::string>& captions,
                               int64_t batch,
                               Progress& progress,
                               std::vector<std::string>* warnings = nullptr);
  /// The same of picture files, which are read and released batch by batch; see preprocess.
  torch::Tensor embed_pictures(const std::vector<std::filesystem::path>& pictures,
                               int64_t batch,
                               Progress& progress);
  /// Of pictures uint8 [H, W, 3 or 4], as one batch.
  torch::Tensor embed(std::span<const torch::Tensor> pictures);

  /// What cosines are multiplied with before a softmax over captions: exp of the learned logit scale, 100 if
  /// the model has none.
  double logit_scale() const;
  const ClipModel& model() const { return model_; }

 private:
  ClipModel model_;
  clip::Clip net_;
};

}  // namespace unclip::pipeline
