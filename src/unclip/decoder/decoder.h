// The decoder P(x | z_i, y) of unCLIP §2.1: an ADM UNet over 64×64 pictures. z_i enters twice, added to the
// timestep embedding and as four extra context tokens in front of the caption's tokens.
#pragma once
#include "unclip/decoder/config.h"
#include "unclip/nn/text_encoder.h"
#include "unclip/nn/unet.h"

namespace unclip::decoder {

using nn::Tensor;

/// What N pictures are drawn from.
struct DecoderInput {
  Tensor z_i;                            // [N, D] as CLIP gives it
  std::optional<Tensor> drop_image;      // bool [N]: rows whose z_i is replaced by the null image
  std::optional<nn::TextEncoding> text;  // required unless the config's text source is none
};

/// What a decoder with config.inpaint sees beside x_t: known pixels, 0 in the hole, and where they are (1 for
/// known), [N, C + 1, S, S], from pictures [N, C, S, S] and bool [N or 1, 1, S, S], true in the hole.
Tensor surroundings(const Tensor& pictures, const Tensor& repaint);

class DecoderImpl : public nn::Layer {
 public:
  explicit DecoderImpl(const DecoderConfig& config);
  /// Everything that does not depend on x_t or t: computed once, reused at every sampling step.
  nn::UNetConditioning condition(const DecoderInput& input);
  /// x_t [N, 3, S, S] (with config.inpaint its surroundings behind it), t [N] -> the net's raw output
  /// [N, out_channels, S, S] float32
  Tensor forward(const Tensor& x_t, const Tensor& t, const nn::UNetConditioning& conditioning) {
    return unet(x_t, t, conditioning);
  }
  void initialize(const NoiseKey& key) override;
  void set_compute_dtype(torch::ScalarType dtype) { unet->compute_dtype = dtype; }
  const DecoderConfig& config() const { return config_; }

  nn::UNet unet;
  nn::Linear z_i_embed;   // to the timestep embedding
  nn::Linear z_i_tokens;  // to the context: D -> image_tokens · context_width, one token after another
  nn::Linear z_i_layout{nullptr};    // to all places of the coarsest level
  nn::Linear text_proj{nullptr};     // caption tokens to the context width
  nn::LayerNorm text_norm{nullptr};  // behind text_proj, with CLIP's text (Karlo)
  nn::Linear text_embed{nullptr};    // pooled caption (or z_t) to the timestep embedding
  nn::TextEncoder text_encoder{nullptr};
  Tensor null_z_i;  // [D], with null_image learned

 private:
  Tensor image_vector(const DecoderInput& input) const;
  DecoderConfig config_;
};
TORCH_MODULE(Decoder);

}  // namespace unclip::decoder
