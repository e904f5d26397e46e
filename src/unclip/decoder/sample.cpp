#include "unclip/decoder/sample.h"

namespace unclip::decoder {
namespace {

DecoderInput conditional_input(const SampleInput& input) {
  DecoderInput result{.z_i = input.z_i, .drop_image = {}, .text = input.text};
  if (input.without_image) result.drop_image = torch::ones({input.z_i.size(0)}, torch::kBool);
  return result;
}

/// Rows 0…N−1 with z_i and caption, rows N…2N−1 with neither.
DecoderInput doubled_input(const SampleInput& input) {
  const int64_t count = input.z_i.size(0);
  DecoderInput both{.z_i = torch::cat({input.z_i, input.z_i}), .drop_image = {}, .text = {}};
  both.drop_image = torch::arange(2 * count) >= (input.without_image ? 0 : count);
  if (input.text) {
    check(input.null_text.has_value(), ErrorKind::shape, "decoder: guidance needs the encoded empty caption");
    both.text = concatenate_text(*input.text, repeat_text(*input.null_text, count));
  }
  return both;
}

/// Rows of x_t that go twice over the pictures (guidance) have each picture's surroundings twice.
Tensor with_surroundings(const Tensor& x_t, const Tensor& around) {
  return torch::cat({x_t, around.repeat({x_t.size(0) / around.size(0), 1, 1, 1})}, 1);
}

}  // namespace

diffusion::Denoiser unbounded_denoiser(Decoder& model, const SampleInput& input, double guidance) {
  check(input.surroundings.has_value() == model->config().inpaint, ErrorKind::shape,
        "decoder: the surroundings of a hole are given to a network that was not trained for them, or are "
        "missing");
  const auto network = [&model, &input](const DecoderInput& given) -> diffusion::Network {
    return [&model, around = input.surroundings, conditioning = model->condition(given)](const Tensor& x_t,
                                                                                         int64_t t) {
      const Tensor seen = around ? with_surroundings(x_t, *around) : x_t;
      return model->forward(seen, torch::full({x_t.size(0)}, t, torch::kLong), conditioning);
    };
  };
  const diffusion::Network guided = guidance == 1.0
                                        ? network(conditional_input(input))
                                        : diffusion::guide_doubled(network(doubled_input(input)), guidance);
  const auto& config = model->config().diffusion;
  return diffusion::make_denoiser(diffusion::NoiseSchedule(config.schedule), config, guided);
}

diffusion::Denoiser guided_denoiser(Decoder& model, const SampleInput& input, double guidance) {
  return diffusion::threshold(unbounded_denoiser(model, input, guidance),
                              model->config().diffusion.threshold);
}

Tensor sample(Decoder& model,
              const SampleInput& input,
              const DecoderSampling& sampling,
              const diffusion::SamplingHooks& hooks) {
  sampling.validate();
  const torch::NoGradGuard no_grad;
  const DecoderConfig& config = model->config();
  const Tensor like =
      torch::empty({input.z_i.size(0), config.picture_channels(), config.unet.size, config.unet.size});
  return diffusion::sample(sampling.sampler, diffusion::NoiseSchedule(config.diffusion.schedule),
                           guided_denoiser(model, input, sampling.guidance), hooks.noise(like, kInitialNoise),
                           {.hooks = hooks, .x_0_mse = {}})
      .clamp(-1, 1);
}

}  // namespace unclip::decoder
