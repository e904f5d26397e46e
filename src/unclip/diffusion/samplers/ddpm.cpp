#include "unclip/diffusion/samplers/ddpm.h"

#include <cmath>

#include "unclip/base/error.h"

namespace unclip::diffusion {
namespace {

Tensor scaled_noise(const Tensor& noise,
                    DdpmVariance variance,
                    const Posterior& q,
                    const Prediction& prediction) {
  if (variance != DdpmVariance::learned_range) {
    return std::sqrt(variance == DdpmVariance::fixed_large ? q.beta : q.variance) * noise;
  }
  check(prediction.variance_fraction.has_value(), ErrorKind::config,
        "the sampler's variance is learned_range but the network predicts none; use fixed_small or "
        "fixed_large");
  const Tensor log_variance =
      learned_range_log_variance(*prediction.variance_fraction, std::log(q.beta), std::log(q.variance));
  return torch::exp(0.5 * log_variance) * noise;
}

}  // namespace

Tensor sample_ddpm(const Denoiser& denoise,
                   const Tensor& x_T,
                   const Trajectory& trajectory,
                   const DdpmOptions& options,
                   const SamplingHooks& hooks) {
  return run_steps(trajectory, x_T, hooks,
                   [&](const Tensor& x_t, const Step& step, int64_t index) -> StepResult {
                     const Posterior q = trajectory.schedule.posterior(step);
                     const Prediction prediction = denoise(x_t, step.t);
                     Tensor x = q.x_0_scale * prediction.x_0 + q.x_t_scale * x_t;
                     if (step.t_prev >= 0) {
                       x = x + scaled_noise(step_noise(hooks, x, index), options.variance, q, prediction);
                     }
                     return {x, prediction.x_0};
                   });
}

}  // namespace unclip::diffusion
