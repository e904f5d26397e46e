#include "unclip/upsampler/sample.h"

#include <memory>
#include <utility>

namespace unclip::upsampler {

diffusion::Denoiser denoiser(StepNets nets, const diffusion::SamplerConfig& sampler, const Tensor& enlarged) {
  const diffusion::DiffusionConfig config = nets.net->config().diffusion;
  const auto current = std::make_shared<StepNets>(std::move(nets));  // one owner, so that a net can go early
  const diffusion::NoiseSchedule schedule(config.schedule);
  const int64_t last_t = diffusion::trajectory(sampler, schedule).steps.back().t;
  const diffusion::Network network = [current, last_t, enlarged](const Tensor& x_t, int64_t t) {
    if (t == last_t && current->load_last_step) {
      current->net = nullptr;
      current->last_step = std::exchange(current->load_last_step, nullptr)();
    }
    Upsampler& net = t == last_t && !current->last_step.is_empty() ? current->last_step : current->net;
    return net->forward(x_t, torch::full({x_t.size(0)}, t, torch::kLong), enlarged);
  };
  return diffusion::threshold(diffusion::make_denoiser(schedule, config, network), config.threshold);
}

Tensor sample(StepNets nets,
              const Tensor& low,
              const diffusion::SamplerConfig& sampler,
              const diffusion::SamplingHooks& hooks) {
  const torch::NoGradGuard no_grad;
  const UpsamplerConfig config = nets.net->config();
  const int64_t factor = config.unet.size / config.low_size;
  const Tensor enlarged = nets.net->enlarge(low, factor * low.size(2), factor * low.size(3));
  return diffusion::sample(sampler, diffusion::NoiseSchedule(config.diffusion.schedule),
                           denoiser(std::move(nets), sampler, enlarged), hooks.noise(enlarged, kInitialNoise),
                           {.hooks = hooks, .x_0_mse = {}})
      .clamp(-1, 1);
}

}  // namespace unclip::upsampler
