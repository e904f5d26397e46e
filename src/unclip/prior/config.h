// Shape of the diffusion prior (unCLIP §2.2, App. C, Table 3).
#pragma once
#include <array>

#include "unclip/diffusion/config.h"
#include "unclip/diffusion/sampler.h"
#include "unclip/nn/transformer.h"

namespace unclip::prior {

/// Where "the encoded text" at the start of the sequence comes from: the prior's own token embeddings,
/// learned with it (unCLIP), or the outputs of CLIP's text tower (Karlo; small models).
enum class PriorText { tokens, clip };

/// How z_i is brought to the scale of the diffusion: unit length times a constant (unCLIP App. C: 17.2 at D =
/// 1024), or every dimension to mean 0 and standard deviation 1 over the training set (Karlo).
enum class EmbeddingScaling { unit, standardize };

/// How z_i is drawn: unCLIP samples 64 strided steps of Analytic-DPM and keeps the better of two candidates.
struct PriorSampling {
  diffusion::SamplerConfig sampler{.kind = diffusion::Sampler::analytic_dpm, .timesteps = "64"};
  double guidance = 1.0;
  int64_t candidates = 2;  // the one with the largest z_i·z_t is kept (unCLIP §2.2)

  static void fields(auto& self, auto&& field) {
    field("sampler", self.sampler, "the sampler");
    field("guidance", self.guidance, "guidance scale, 1 for none");
    field("candidates", self.candidates, "samples of which the best is kept");
  }
  void validate() const;
};

struct DiffusionPriorConfig {
  int64_t embed_dim = 1024;
  nn::TransformerConfig transformer{.width = 2048, .layers = 24, .heads = 32};
  PriorText text_source = PriorText::tokens;
  int64_t text_context = 256;
  int64_t vocab_size = 49408;  // with text_source tokens
  int64_t text_width = 1024;   // with text_source clip
  EmbeddingScaling scaling = EmbeddingScaling::unit;
  double embedding_scale = 17.2;  // with scaling unit
  diffusion::DiffusionConfig diffusion{.parameterization = diffusion::Parameterization::x_0};  // unCLIP §2.2
  bool error_table = true;  // store E‖x_0 − x̂_0‖² per timestep, which Analytic-DPM needs
  PriorSampling sampling;
  double text_drop = 0.1;  // unCLIP §2.2

  static void fields(auto& self, auto&& field) {
    field("embed_dim", self.embed_dim, "width of the CLIP embedding");
    field("transformer", self.transformer, "the causal transformer");
    field("text_source", self.text_source, "tokens (own embeddings) or clip (outputs of CLIP's text tower)");
    field("text_context", self.text_context, "text positions in the sequence");
    field("vocab_size", self.vocab_size, "tokens, with text_source tokens");
    field("text_width", self.text_width, "width of CLIP's text outputs, with text_source clip");
    field("scaling", self.scaling, "unit (constant times unit length) or standardize (per dimension)");
    field("embedding_scale", self.embedding_scale, "the constant of scaling unit");
    field("diffusion", self.diffusion, "schedule and parameterization");
    field("error_table", self.error_table, "store the errors per timestep that Analytic-DPM needs");
    field("sampling", self.sampling, "how embeddings are drawn by default");
    field("text_drop", self.text_drop, "share of training captions replaced by the empty one");
  }
  void validate() const;
};

}  // namespace unclip::prior

template <>
struct unclip::EnumNames<unclip::prior::PriorText> {
  static constexpr std::array<std::pair<prior::PriorText, std::string_view>, 2> value{
      {{prior::PriorText::tokens, "tokens"}, {prior::PriorText::clip, "clip"}}};
};
template <>
struct unclip::EnumNames<unclip::prior::EmbeddingScaling> {
  static constexpr std::array<std::pair<prior::EmbeddingScaling, std::string_view>, 2> value{
      {{prior::EmbeddingScaling::unit, "unit"}, {prior::EmbeddingScaling::standardize, "standardize"}}};
};
