// Shape of the autoregressive prior (unCLIP §2.2, App. C, Table 3).
#pragma once
#include "unclip/nn/text_encoder.h"
#include "unclip/prior/config.h"

namespace unclip::prior {

/// How codes are drawn. The paper names neither guidance scale nor temperature: plain sampling is the
/// default.
struct CodeSampling {
  double guidance = 1.0;
  double temperature = 1.0;
  double top_p = 1.0;
  double dot_product_percentile = 0.5;  // unCLIP §2.2, footnote 2
  int64_t candidates = 1;               // the paper's best of two belongs to the diffusion prior

  static void fields(auto& self, auto&& field) {
    field("guidance", self.guidance, "guidance scale on logits, 1 for none");
    field("temperature", self.temperature, "logits are divided by it");
    field("top_p", self.top_p, "draw from the most likely codes with this share of the probability");
    field("dot_product_percentile", self.dot_product_percentile,
          "z_i·z_t is drawn from above this share of training");
    field("candidates", self.candidates, "samples of which the one nearest to z_t is kept");
  }
  void validate() const;
};

struct AutoregressivePriorConfig {
  int64_t embed_dim = 1024;
  nn::TransformerConfig transformer{.width = 1664, .layers = 24, .heads = 26};  // the latent decoder
  int64_t context = 384;  // positions of the latent decoder: z_t, z_i·z_t and the codes
  PriorText text_source = PriorText::tokens;
  nn::TextEncoderConfig text_encoder;  // with text_source tokens
  int64_t text_width = 1024;           // with text_source clip
  bool unit_z_i = true;                // z_i is brought to length 1 first
  double reconstruction_error = 0.01;  // unCLIP §2.2, footnote 1
  int64_t components = 0;              // 0: as many as reconstruction_error needs
  int64_t buckets = 1024;              // unCLIP §2.2
  double bucket_range = 5.0;
  int64_t dot_product_bins = 100;
  CodeSampling sampling;
  double text_drop = 0.1;  // unCLIP §2.2

  static void fields(auto& self, auto&& field) {
    field("embed_dim", self.embed_dim, "width of the CLIP embedding");
    field("transformer", self.transformer, "the causal transformer over the codes");
    field("context", self.context, "positions: z_t, the dot-product token, the codes");
    field("text_source", self.text_source,
          "tokens (own text encoder) or clip (outputs of CLIP's text tower)");
    field("text_encoder", self.text_encoder, "the text encoder, with text_source tokens");
    field("text_width", self.text_width, "width of CLIP's text outputs, with text_source clip");
    field("unit_z_i", self.unit_z_i, "write z_i of length 1 (else as CLIP gives it)");
    field("reconstruction_error", self.reconstruction_error, "share of the variance that PCA may lose");
    field("components", self.components, "principal components kept; 0: as reconstruction_error needs");
    field("buckets", self.buckets, "values of one code");
    field("bucket_range", self.bucket_range, "standard deviations on either side that the buckets cover");
    field("dot_product_bins", self.dot_product_bins, "values of the dot-product token");
    field("sampling", self.sampling, "how embeddings are drawn by default");
    field("text_drop", self.text_drop, "share of training captions replaced by the empty one");
  }
  void validate() const;
  /// Most codes that the context has room for.
  int64_t max_components() const { return std::min(embed_dim, context - 2); }
};

}  // namespace unclip::prior
