#include "unclip/upsampler/sample.h"

namespace unclip::upsampler {

diffusion::Denoiser denoiser(Upsampler& model, const Tensor& enlarged) {
  const diffusion::DiffusionConfig& config = model->config().diffusion;
  const diffusion::Network network = [&model, enlarged](const Tensor& x_t, int64_t t) {
    return model->forward(x_t, torch::full({x_t.size(0)}, t, torch::kLong), enlarged);
  };
  return diffusion::threshold(
      diffusion::make_denoiser(diffusion::NoiseSchedule(config.schedule), config, network), config.threshold);
}

Tensor sample(Upsampler& model,
              const Tensor& low,
              const diffusion::SamplerConfig& sampler,
              const diffusion::SamplingHooks& hooks) {
  const torch::NoGradGuard no_grad;
  const UpsamplerConfig& config = model->config();
  const int64_t factor = config.unet.size / config.low_size;
  const Tensor enlarged = model->enlarge(low, factor * low.size(2), factor * low.size(3));
  return diffusion::sample(sampler, diffusion::NoiseSchedule(config.diffusion.schedule),
                           denoiser(model, enlarged), hooks.noise(enlarged, kInitialNoise),
                           {.hooks = hooks, .x_0_mse = {}})
      .clamp(-1, 1);
}

}  // namespace unclip::upsampler
