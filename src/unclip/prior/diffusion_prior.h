// The diffusion prior P(z_i | y) of unCLIP §2.2: a causal transformer over
//   [encoded text, z_t, timestep, noised z_i, query]
// whose output at the query predicts the clean z_i. Text and z_t stand in front and attention is causal, so
// their keys and values do not depend on t or z_i: they are computed once per caption and reused at every
// sampling step.
#pragma once
#include "unclip/nn/text_encoding.h"
#include "unclip/nn/timestep_embedding.h"
#include "unclip/prior/config.h"

namespace unclip::prior {

using nn::Tensor;

/// Keys and values of the text positions of N captions.
struct TextPrefix {
  nn::KeyValueCache cache;
  Tensor mask;  // bool [N, L + 1], which of them may be attended
};

class DiffusionPriorImpl : public nn::Layer {
 public:
  explicit DiffusionPriorImpl(const DiffusionPriorConfig& config);

  /// z_noised [N, D] in scaled space, t [N] -> x̂_0 [N, D] float32 in scaled space; the whole sequence at once
  /// (training).
  Tensor forward(const Tensor& z_noised, const Tensor& t, const nn::TextEncoding& text);
  /// The same in two parts, for sampling: the text once, then each step on its own three positions.
  TextPrefix encode_text(const nn::TextEncoding& text);
  Tensor predict(const TextPrefix& prefix, const Tensor& z_noised, const Tensor& t);

  /// z_i as CLIP gives it <-> the scaled space in which the diffusion runs.
  Tensor scale(const Tensor& z_i) const;
  Tensor unscale(const Tensor& x_0) const;
  void initialize(const NoiseKey& key) override;
  const DiffusionPriorConfig& config() const { return config_; }

  torch::ScalarType compute_dtype = torch::kFloat32;
  nn::Embedding token_embedding{nullptr};  // text_source tokens
  nn::Linear text_proj{nullptr};           // text_source clip
  nn::Linear z_t_proj;
  nn::TimestepEmbedding time_embed;
  nn::Linear z_i_proj;
  Tensor query;                 // [width]
  Tensor positional_embedding;  // [L + 4, width]
  nn::Transformer transformer;
  nn::LayerNorm ln_out;
  nn::Linear out;
  nn::Stats
      stats;  // mean, std [D] of the training embeddings (scaling standardize); x_0_mse [T] (Analytic-DPM)

 private:
  Tensor text_positions(const nn::TextEncoding& text);              // [N, L + 1, width]
  Tensor image_positions(const Tensor& z_noised, const Tensor& t);  // [N, 3, width]
  Tensor read_out(const Tensor& last) { return out(ln_out(last)).to(torch::kFloat32); }
  DiffusionPriorConfig config_;
};
TORCH_MODULE(DiffusionPrior);

}  // namespace unclip::prior
