#include "unclip/decoder/decoder.h"

#include <cmath>

namespace unclip::decoder {

void DecoderSampling::validate() const {
  sampler.validate();
  check(guidance >= 0, ErrorKind::config, "decoder: guidance is ", guidance, ", expected 0 or more");
  check(candidates >= 1, ErrorKind::config, "decoder: candidates is ", candidates, ", expected 1 or more");
}

void DecoderConfig::validate() const {
  sampling.validate();
  unet.validate("decoder.unet");
  diffusion.validate();
  check(!inpaint || unet.in_channels == 7, ErrorKind::config, "decoder: unet.in_channels is ",
        unet.in_channels, ", expected 7 with inpaint (x_t, a picture with a hole and its mask)");
  const int64_t out = diffusion.learn_sigma ? 2 * picture_channels() : picture_channels();
  check(unet.out_channels == out, ErrorKind::config, "decoder: unet.out_channels is ", unet.out_channels,
        ", expected ", out, " with learn_sigma ", diffusion.learn_sigma ? "true" : "false");
  check(embed_dim > 0 && image_tokens > 0, ErrorKind::config,
        "decoder: embed_dim and image_tokens must be positive");
  check(unet.context_width > 0, ErrorKind::config,
        "decoder: unet.context_width is 0, but z_i enters as context tokens: give the width of a token");
  check(image_drop >= 0 && image_drop <= 1 && text_drop >= 0 && text_drop <= 1, ErrorKind::config,
        "decoder: image_drop is ", image_drop, " and text_drop ", text_drop, ", expected rates in 0…1");
  if (text.source == DecoderText::own) text.transformer.validate("decoder.text.transformer");
}

DecoderImpl::DecoderImpl(const DecoderConfig& c)
    : unet(nullptr), z_i_embed(nullptr), z_i_tokens(nullptr), config_(c) {
  c.validate();
  unet = register_module("unet", nn::UNet(c.unet));
  z_i_embed = register_module("z_i_embed", nn::Linear(c.embed_dim, c.unet.embed_width()));
  z_i_tokens = register_module("z_i_tokens", nn::Linear(c.embed_dim, c.image_tokens * c.unet.context_width));
  if (c.layout) {
    const int64_t side = c.unet.coarsest_side(),
                  width = c.unet.level_channels(c.unet.channel_mult.size() - 1);
    z_i_layout = register_module("z_i_layout", nn::Linear(c.embed_dim, width * side * side,
                                                          nn::LinearOptions{.init = nn::Init::zeros()}));
  }
  if (c.text.source == DecoderText::own) {
    text_encoder = register_module(
        "text_encoder",
        nn::TextEncoder(nn::TextEncoderConfig{c.text.vocab_size, c.text.context_length, c.text.transformer}));
    text_proj = register_module("text_proj", nn::Linear(c.text.transformer.width, c.unet.context_width));
    text_embed = register_module("text_embed", nn::Linear(c.text.transformer.width, c.unet.embed_width()));
  } else if (c.text.source == DecoderText::clip) {
    text_proj = register_module("text_proj", nn::Linear(c.text.clip_width, c.unet.context_width));
    text_norm = register_module("text_norm", nn::LayerNorm(c.unet.context_width));
    if (c.text.add_z_t)
      text_embed = register_module("text_embed", nn::Linear(c.embed_dim, c.unet.embed_width()));
  }
  if (c.null_image == NullImage::learned) null_z_i = make_parameter("null_z_i", {c.embed_dim});
}

void DecoderImpl::initialize(const NoiseKey& key) {
  if (null_z_i.defined()) nn::fill_parameter(null_z_i, nn::Init::normal(1.0), 1, key);
}

Tensor DecoderImpl::image_vector(const DecoderInput& input) const {
  check(input.z_i.dim() == 2 && input.z_i.size(1) == config_.embed_dim, ErrorKind::shape,
        "decoder: z_i has shape ", input.z_i.sizes(), ", expected [N, ", config_.embed_dim, "]");
  Tensor z_i = input.z_i.to(torch::kFloat32);
  if (config_.unit_z_i) {
    z_i = z_i / z_i.norm(2, -1, true).clamp_min(1e-12) * std::sqrt(static_cast<double>(config_.embed_dim));
  }
  if (!input.drop_image) return z_i;
  const Tensor null = null_z_i.defined() ? null_z_i.to(torch::kFloat32) : torch::zeros_like(z_i[0]);
  return torch::where(input.drop_image->unsqueeze(1), null, z_i);
}

Tensor surroundings(const Tensor& pictures, const Tensor& repaint) {
  const Tensor known =
      repaint.logical_not().to(pictures.scalar_type()).expand({pictures.size(0), -1, -1, -1});
  return torch::cat({pictures * known, known}, 1);
}

nn::UNetConditioning DecoderImpl::condition(const DecoderInput& input) {
  const auto dtype = unet->compute_dtype;
  const Tensor z_i = image_vector(input).to(dtype);
  const int64_t batch = z_i.size(0);
  Tensor embedding = z_i_embed(z_i);
  Tensor tokens = z_i_tokens(z_i).view({batch, config_.image_tokens, config_.unet.context_width});
  std::optional<Tensor> mask;
  if (config_.text.source != DecoderText::none) {
    if (!input.text) fail(ErrorKind::shape, "decoder: this model reads captions, but none was given");
    const nn::TextEncoding& text = *input.text;
    if (!text_encoder.is_empty()) {
      const nn::EncodedCaption caption = text_encoder->forward(text, dtype);
      embedding = embedding + text_embed(caption.pooled);
      tokens = torch::cat({tokens, text_proj(caption.tokens)}, 1);
    } else {
      if (!text_embed.is_empty()) embedding = embedding + text_embed(text.z_t.to(dtype));
      tokens = torch::cat({tokens, text_norm(text_proj(text.hidden.to(dtype)))}, 1);
      const Tensor image_mask = torch::ones({batch, config_.image_tokens}, text.mask.options());
      mask = torch::cat({image_mask, text.mask}, 1);
    }
  }
  nn::UNetConditioning told{.embedding = embedding,
                            .context = nn::ContextTokens{.tokens = tokens, .mask = mask}};
  if (!z_i_layout.is_empty()) {
    const int64_t side = config_.unet.coarsest_side();
    told.layout = z_i_layout(z_i).view({batch, -1, side, side});
  }
  return told;
}

}  // namespace unclip::decoder
