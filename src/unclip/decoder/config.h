// Shape of the decoder (unCLIP §2.1, App. C, Table 3).
#pragma once
#include <array>

#include "unclip/diffusion/config.h"
#include "unclip/diffusion/sampler.h"
#include "unclip/nn/transformer.h"
#include "unclip/nn/unet_config.h"

namespace unclip::decoder {

/// Where the decoder's caption tokens come from: nowhere, its own text transformer (GLIDE's pathway, which
/// unCLIP keeps), or the outputs of CLIP's text tower (Karlo).
enum class DecoderText { none, own, clip };
/// What replaces a dropped z_i: zeros (unCLIP Fig. 8) or a learned vector (Karlo).
enum class NullImage { zeros, learned };

struct DecoderTextConfig {
  DecoderText source = DecoderText::own;
  int64_t vocab_size = 49408;
  int64_t context_length = 256;
  nn::TransformerConfig transformer{.width = 2048, .layers = 24, .heads = 32};  // of source own
  int64_t clip_width = 768;  // width of CLIP's text outputs, of source clip
  bool add_z_t = false;      // CLIP's pooled text embedding joins the timestep embedding too (Karlo)

  static void fields(auto& self, auto&& field) {
    field("source", self.source, "none, own (a text transformer) or clip (outputs of CLIP's text tower)");
    field("vocab_size", self.vocab_size, "tokens of the own transformer");
    field("context_length", self.context_length, "text positions");
    field("transformer", self.transformer, "the own transformer");
    field("clip_width", self.clip_width, "width of CLIP's text outputs");
    field("add_z_t", self.add_z_t, "add a projection of z_t to the timestep embedding");
  }
};

/// How pictures are drawn; the paper takes 250 strided steps with the learned variance.
struct DecoderSampling {
  diffusion::SamplerConfig sampler{.timesteps = "250", .variance = diffusion::DdpmVariance::learned_range};
  double guidance = 1.25;  // unCLIP Table 2
  int64_t candidates = 1;  // pictures drawn for each result, of which CLIP keeps one (as DALL·E did)

  static void fields(auto& self, auto&& field) {
    field("sampler", self.sampler, "the sampler");
    field("guidance", self.guidance, "guidance scale, 1 for none");
    field("candidates", self.candidates, "pictures drawn for each result: CLIP keeps the nearest to z_i");
  }
  void validate() const;
};

struct DecoderConfig {
  nn::UNetConfig unet{.context_width = 2048};
  int64_t embed_dim = 1024;
  int64_t image_tokens = 4;  // unCLIP §2.1
  bool layout = false;       // z_i is a picture of the coarsest level, too: for small nets and centred things
  bool unit_z_i = true;      // z_i is brought to length √D first (else it is used as it is)
  NullImage null_image = NullImage::zeros;
  DecoderTextConfig text;
  diffusion::DiffusionConfig diffusion{.learn_sigma = true,
                                       .threshold = {.kind = diffusion::Threshold::clamp}};
  DecoderSampling sampling;
  double image_drop = 0.1;  // unCLIP §2.1
  double text_drop = 0.5;
  /// GLIDE's inpainting (Nichol et al. 2022, §2.3): the net also sees the picture with a hole, and where it
  /// is.
  bool inpaint = false;

  static void fields(auto& self, auto&& field) {
    field("unet", self.unet, "the ADM UNet");
    field("embed_dim", self.embed_dim, "width of the CLIP embedding");
    field("image_tokens", self.image_tokens, "context tokens made from z_i");
    field("layout", self.layout, "add a projection of z_i to every place of the coarsest level");
    field("unit_z_i", self.unit_z_i, "bring z_i to length sqrt(embed_dim) first");
    field("null_image", self.null_image, "what replaces a dropped z_i: zeros or learned");
    field("text", self.text, "the caption's pathway");
    field("diffusion", self.diffusion, "schedule, parameterization, variance");
    field("sampling", self.sampling, "how pictures are drawn by default");
    field("image_drop", self.image_drop, "share of training pictures whose z_i is dropped");
    field("text_drop", self.text_drop, "share of training captions that are dropped");
    field("inpaint", self.inpaint, "the net also sees a picture with a hole: unet.in_channels is 2 · 3 + 1");
  }
  void validate() const;
  /// Channels of a picture: those of the UNet's input without a picture with a hole and its mask.
  int64_t picture_channels() const { return inpaint ? (unet.in_channels - 1) / 2 : unet.in_channels; }
};

}  // namespace unclip::decoder

template <>
struct unclip::EnumNames<unclip::decoder::DecoderText> {
  static constexpr std::array<std::pair<decoder::DecoderText, std::string_view>, 3> value{
      {{decoder::DecoderText::none, "none"},
       {decoder::DecoderText::own, "own"},
       {decoder::DecoderText::clip, "clip"}}};
};
template <>
struct unclip::EnumNames<unclip::decoder::NullImage> {
  static constexpr std::array<std::pair<decoder::NullImage, std::string_view>, 2> value{
      {{decoder::NullImage::zeros, "zeros"}, {decoder::NullImage::learned, "learned"}}};
};
