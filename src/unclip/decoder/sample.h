// Drawing 64×64 pictures from z_i and captions with guidance (unCLIP §2.1).
#pragma once
#include "unclip/decoder/decoder.h"
#include "unclip/diffusion/sampler.h"

namespace unclip::decoder {

/// What N pictures are drawn from, and what stands for "nothing" in the unconditional half of the guidance.
struct SampleInput {
  Tensor z_i;                                 // [N, D]
  std::optional<nn::TextEncoding> text;       // N captions, unless the model reads none
  std::optional<nn::TextEncoding> null_text;  // the empty caption, N = 1
  std::optional<Tensor> surroundings = {};    // [N, C + 1, S, S], with config.inpaint
  bool without_image = false;                 // draw from captions alone: every z_i is dropped
};

/// x̂_0(x_t, t) under guidance: z_i and caption are dropped together in the unconditional half, as in
/// training.
diffusion::Denoiser guided_denoiser(Decoder& model, const SampleInput& input, double guidance);
/// The same without the model's threshold, which would make inversion inexact.
diffusion::Denoiser unbounded_denoiser(Decoder& model, const SampleInput& input, double guidance);

/// [N, 3, S, S] in −1…1.
Tensor sample(Decoder& model,
              const SampleInput& input,
              const DecoderSampling& sampling,
              const diffusion::SamplingHooks& hooks);

}  // namespace unclip::decoder
