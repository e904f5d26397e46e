// The decoder's own text transformer, after GLIDE (Nichol et al. 2021, §4.1): not causal, with learned
// vectors at padding.
#pragma once
#include "unclip/decoder/config.h"
#include "unclip/nn/text_encoding.h"

namespace unclip::decoder {

using nn::Tensor;

struct EncodedCaption {
  Tensor tokens;  // [N, L, width]
  Tensor pooled;  // [N, width]: the last position
};

class TextEncoderImpl : public nn::Layer {
 public:
  explicit TextEncoderImpl(const DecoderTextConfig& config);
  EncodedCaption forward(const nn::TextEncoding& text, torch::ScalarType dtype);
  void initialize(const NoiseKey& key) override;

  nn::Embedding token_embedding;
  Tensor positional_embedding;  // [L, width]
  Tensor padding_embedding;     // [L, width], stands where there is no token
  nn::Transformer transformer;
  nn::LayerNorm ln_final;
};
TORCH_MODULE(TextEncoder);

}  // namespace unclip::decoder
