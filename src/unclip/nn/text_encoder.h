// A text transformer of a model's own, after GLIDE (Nichol et al. 2021, §4.1): not causal, with learned
// vectors at padding.
#pragma once
#include "unclip/nn/text_encoding.h"
#include "unclip/nn/transformer.h"

namespace unclip::nn {

struct TextEncoderConfig {
  int64_t vocab_size = 49408;
  int64_t context_length = 256;
  TransformerConfig transformer{.width = 2048, .layers = 24, .heads = 32};  // unCLIP Table 3

  static void fields(auto& self, auto&& field) {
    field("vocab_size", self.vocab_size, "tokens");
    field("context_length", self.context_length, "text positions");
    field("transformer", self.transformer, "the transformer");
  }
};

struct EncodedCaption {
  Tensor tokens;  // [N, L, width]
  Tensor pooled;  // [N, width]: the last position
};

class TextEncoderImpl : public Layer {
 public:
  explicit TextEncoderImpl(const TextEncoderConfig& config);
  EncodedCaption forward(const TextEncoding& text, torch::ScalarType dtype);
  void initialize(const NoiseKey& key) override;

  Embedding token_embedding;
  Tensor positional_embedding;  // [L, width]
  Tensor padding_embedding;     // [L, width], stands where there is no token
  Transformer transformer;
  LayerNorm ln_final;
};
TORCH_MODULE(TextEncoder);

}  // namespace unclip::nn
