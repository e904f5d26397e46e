#include "unclip/upsampler/sample.h"

namespace unclip::upsampler {

Tensor sample(Upsampler& model,
              const Tensor& low,
              const diffusion::SamplerConfig& sampler,
              const diffusion::SamplingHooks& hooks) {
  const torch::NoGradGuard no_grad;
  const UpsamplerConfig& config = model->config();
  const int64_t factor = config.unet.size / config.low_size;
  const Tensor enlarged = model->enlarge(low, factor * low.size(2), factor * low.size(3));
  const diffusion::NoiseSchedule schedule(config.diffusion.schedule);
  const diffusion::Network network = [&](const Tensor& x_t, int64_t t) {
    return model->forward(x_t, torch::full({x_t.size(0)}, t, torch::kLong), enlarged);
  };
  const diffusion::Denoiser denoise = diffusion::threshold(
      diffusion::make_denoiser(schedule, config.diffusion, network), config.diffusion.threshold);
  return diffusion::sample(sampler, schedule, denoise, hooks.noise(enlarged, kInitialNoise),
                           {.hooks = hooks, .x_0_mse = {}})
      .clamp(-1, 1);
}

}  // namespace unclip::upsampler
