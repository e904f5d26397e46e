#include "unclip/nn/text_encoder.h"

namespace unclip::nn {

TextEncoderImpl::TextEncoderImpl(const TextEncoderConfig& c)
    : token_embedding(register_module("token_embedding", Embedding(c.vocab_size, c.transformer.width))),
      transformer(register_module("transformer", Transformer(c.transformer))),
      ln_final(register_module("ln_final", LayerNorm(c.transformer.width))) {
  positional_embedding = make_parameter("positional_embedding", {c.context_length, c.transformer.width});
  padding_embedding = make_parameter("padding_embedding", {c.context_length, c.transformer.width});
}

void TextEncoderImpl::initialize(const NoiseKey& key) {
  fill_parameter(positional_embedding, Init::normal(0.01), 1, key);
  fill_parameter(padding_embedding, Init::normal(0.01), 1, {key.seed, key.stream, key.step + 1});
}

EncodedCaption TextEncoderImpl::forward(const TextEncoding& text, torch::ScalarType dtype) {
  check(text.ids.size(1) == positional_embedding.size(0), ErrorKind::shape, "the text encoder got ",
        text.ids.size(1), " text positions, expected ", positional_embedding.size(0));
  const Tensor tokens = token_embedding(text.ids) + positional_embedding;
  const Tensor x = torch::where(text.mask.unsqueeze(2), tokens, padding_embedding.expand_as(tokens));
  const Tensor encoded = ln_final(transformer(x.to(dtype), TransformerContext{}));
  return {.tokens = encoded, .pooled = encoded.select(1, -1)};
}

}  // namespace unclip::nn
