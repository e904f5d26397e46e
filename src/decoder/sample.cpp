#include "unclip/decoder/sample.h"

namespace unclip::decoder {
namespace {

DecoderInput conditional_input(const DrawingInput& input) {
  DecoderInput result{.z_i = input.z_i, .drop_image = {}, .text = input.text};
  if (input.without_image) result.drop_image = torch::ones({input.z_i.size(0)}, torch::kBool);
  return result;
}

/// Rows 0…N−1 with z_i and caption, rows N…2N−1 with neither.
DecoderInput doubled_input(const DrawingInput& input) {
  const int64_t count = input.z_i.size(0);
  DecoderInput both{.z_i = torch::cat({input.z_i, input.z_i}), .drop_image = {}, .text = {}};
  both.drop_image = torch::arange(2 * count) >= (input.without_image ? 0 : count);
  if (input.text) {
    check(input.null_text.has_value(), ErrorKind::shape, "decoder: guidance needs the encoded empty caption");
    both.text = concatenate_text(*input.text, repeat_text(*input.null_text, count));
  }
  return both;
}

}  // namespace

diffusion::Denoiser unbounded_denoiser(Decoder& model, const DrawingInput& input, double guidance) {
  const auto network = [&model](const DecoderInput& given) -> diffusion::Network {
    return [&model, conditioning = model->condition(given)](const Tensor& x_t, int64_t t) {
      return model->forward(x_t, torch::full({x_t.size(0)}, t, torch::kLong), conditioning);
    };
  };
  const diffusion::Network guided = guidance == 1.0
                                        ? network(conditional_input(input))
                                        : diffusion::guide_doubled(network(conditional_input(input)),
                                                                   network(doubled_input(input)), guidance);
  const auto& config = model->config().diffusion;
  return diffusion::make_denoiser(diffusion::NoiseSchedule(config.schedule), config, guided);
}

diffusion::Denoiser guided_denoiser(Decoder& model, const DrawingInput& input, double guidance) {
  return diffusion::threshold(unbounded_denoiser(model, input, guidance),
                              model->config().diffusion.threshold);
}

Tensor sample(Decoder& model,
              const DrawingInput& input,
              const DecoderSampling& sampling,
              const diffusion::SamplingHooks& hooks) {
  sampling.validate();
  const torch::NoGradGuard no_grad;
  const DecoderConfig& config = model->config();
  const Tensor like =
      torch::empty({input.z_i.size(0), config.unet.in_channels, config.unet.size, config.unet.size});
  return diffusion::sample(sampling.sampler, diffusion::NoiseSchedule(config.diffusion.schedule),
                           guided_denoiser(model, input, sampling.guidance), hooks.noise(like, kInitialNoise),
                           {.hooks = hooks, .x_0_mse = {}})
      .clamp(-1, 1);
}

}  // namespace unclip::decoder
