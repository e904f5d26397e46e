// CLIP (Radford et al. 2021): a ViT and a causal text transformer with one joint embedding space. unCLIP §2,
// App. C.
#pragma once
#include "unclip/clip/config.h"
#include "unclip/nn/text_encoding.h"

namespace unclip::clip {

using nn::Tensor;

struct ImageFeatures {
  Tensor embedding;  // z_i [N, D], not normalised
  Tensor hidden;     // [N, 1 + patches, width] before the last norm
};

class VisionTowerImpl : public nn::Layer {
 public:
  explicit VisionTowerImpl(const ClipConfig& config);
  ImageFeatures forward(const Tensor& pictures);  // [N, 3, S, S], normalised with CLIP's mean and std
  void initialize(const NoiseKey& key) override;

  torch::ScalarType compute_dtype = torch::kFloat32;
  nn::Conv2d stem{nullptr};
  nn::Conv2d patches;
  Tensor class_embedding;       // [width]
  Tensor positional_embedding;  // [1 + patches, width]
  nn::LayerNorm ln_pre;
  nn::Transformer transformer;
  nn::LayerNorm ln_post;
  nn::Linear proj;
};
TORCH_MODULE(VisionTower);

class TextTowerImpl : public nn::Layer {
 public:
  explicit TextTowerImpl(const ClipConfig& config);
  /// ids int64 [N, L], mask bool [N, L]. The mask is only handed on: attention is causal, and the embedding
  /// is read at the first occurrence of the end-of-text token (by default the highest id of each row), so
  /// padding never matters.
  nn::TextEncoding forward(const Tensor& ids, const Tensor& mask);
  void initialize(const NoiseKey& key) override;

  torch::ScalarType compute_dtype = torch::kFloat32;
  nn::Embedding token_embedding;
  Tensor positional_embedding;  // [L, width]
  nn::Transformer transformer;
  nn::LayerNorm ln_final;
  nn::Linear proj;

 private:
  std::optional<int64_t> end_id_;
};
TORCH_MODULE(TextTower);

class ClipImpl : public nn::Layer {
 public:
  explicit ClipImpl(const ClipConfig& config, Towers towers = Towers::both);
  /// Each needs its tower.
  Tensor encode_image(const Tensor& pictures) { return visual(pictures).embedding; }  // [N, D]
  nn::TextEncoding encode_text(const Tensor& ids, const Tensor& mask) { return text(ids, mask); }
  void initialize(const NoiseKey& key) override;
  void set_compute_dtype(torch::ScalarType dtype);
  const ClipConfig& config() const { return config_; }

  VisionTower visual{nullptr};
  TextTower text{nullptr};
  Tensor logit_scale;  // ln(1/τ), a scalar; undefined unless both towers are there

 private:
  ClipConfig config_;
};
TORCH_MODULE(Clip);

/// Pictures in −1…1 [N, 3, H, W] -> what the image tower reads, at its own size (antialiased bicubic if they
/// differ).
Tensor preprocess(const Tensor& pictures, const VisionConfig& config);

/// Rows of unit length, in float32.
Tensor normalized(const Tensor& embeddings);

/// exp(logit_scale) · ẑ_i ẑ_tᵀ: [N, M]
Tensor similarity_logits(const Tensor& image_embeddings,
                         const Tensor& text_embeddings,
                         const Tensor& logit_scale);

/// Symmetric cross-entropy over the pairs of a batch (Radford et al. 2021, Fig. 3).
Tensor contrastive_loss(const Tensor& logits_per_image);

/// The learned temperature stays at or below 100 (Radford et al. 2021, §2.5): called after every optimizer
/// step.
void clamp_logit_scale(ClipImpl& model);

}  // namespace unclip::clip
