// CLIP as a function: captions and pictures become embeddings (unCLIP §2). Of any model that has a text or an
// image encoder; safe to use from several threads.
#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "unclip/base/progress.h"
#include "unclip/pipeline/networks.h"
#include "unclip/text/tokenizer.h"

namespace unclip::pipeline {

/// Embeddings are as the projections give them; clip::normalized makes unit length. What asks for a tower
/// that the model lacks is an Error(checkpoint).
class ClipEncoder {
 public:
  explicit ClipEncoder(std::shared_ptr<Networks> networks);

  const model::Model& model() const { return networks_->model(); }
  const clip::ClipConfig& text_config() const;
  const clip::ClipConfig& image_config() const;

  /// What the text tower is given: ids and mask [N, L]. Captions that are cut get a warning, unless
  /// `warnings` is null.
  text::Tokens tokenize(std::span<const std::string> captions,
                        std::vector<std::string>* warnings = nullptr) const;
  /// y → z_t and the text tower's outputs, of all captions together.
  nn::TextEncoding encode_text(std::span<const std::string> captions,
                               std::vector<std::string>* warnings = nullptr) const;
  /// What stands for no caption in guidance, N = 1; encoded once.
  nn::TextEncoding null_text() const;
  /// z_t float32 [N, D], `batch` captions at a time.
  torch::Tensor embed_captions(std::span<const std::string> captions,
                               int64_t batch,
                               Progress& progress,
                               std::vector<std::string>* warnings = nullptr) const;

  /// What the image tower is given: a picture uint8 [H, W, 3 or 4], fitted and normalised, [1, 3, S, S];
  /// transparent ones are seen on white.
  torch::Tensor prepare(const torch::Tensor& pixels) const;
  /// Of that: z_i float32 [N, D].
  torch::Tensor embed_prepared(const torch::Tensor& inputs) const;
  /// z_i float32 [N, D] of pictures uint8 [H, W, 3 or 4].
  torch::Tensor embed_pictures(std::span<const torch::Tensor> pictures) const;
  /// The same of picture files, which are read and released batch by batch.
  torch::Tensor embed_files(std::span<const std::filesystem::path> pictures,
                            int64_t batch,
                            Progress& progress) const;
  /// z_i float32 [N, D] of what a network draws or learns from: [N, 3, H, W] in −1…1.
  torch::Tensor encode_image(const torch::Tensor& pictures) const;

  /// What cosines are multiplied with before a softmax over captions: exp of the learned logit scale, CLIP's
  /// limit of 100 if the model has none.
  double logit_scale() const;

 private:
  struct Texts;  // the tokenizer and the encoding of no caption, made when they are first needed
  const text::Tokenizer& tokenizer() const;

  std::shared_ptr<Networks> networks_;
  std::shared_ptr<Texts> texts_;
};

}  // namespace unclip::pipeline
