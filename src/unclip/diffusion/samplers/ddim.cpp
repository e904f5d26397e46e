#include "unclip/diffusion/samplers/ddim.h"

#include <algorithm>
#include <cmath>

#include "unclip/base/error.h"

namespace unclip::diffusion {

Tensor ddim_step(const NoiseSchedule& schedule,
                 const Step& step,
                 const StepResult& state,
                 double eta,
                 const std::function<Tensor(const Tensor& like)>& noise) {
  const double variance = eta * eta * schedule.posterior(step).variance;  // Eq. 16: σ² = η² β̃
  const double direction = std::sqrt(std::max(0.0, 1.0 - schedule.alpha_bar(step.t_prev) - variance));
  const Tensor eps = epsilon_from_x_0(state.x_0, state.x, noise_level(schedule, step.t));
  Tensor x = schedule.signal(step.t_prev) * state.x_0 + direction * eps;  // Eq. 12
  if (variance > 0.0) x = x + std::sqrt(variance) * noise(x);
  return x;
}

Tensor sample_ddim(const Denoiser& denoise,
                   const Tensor& x_T,
                   const Trajectory& trajectory,
                   const DdimOptions& options,
                   const SamplingHooks& hooks) {
  check(options.eta >= 0.0 && options.eta <= 1.0, ErrorKind::config, "eta is ", options.eta,
        ", expected a number from 0 to 1");
  return run_steps(trajectory, x_T, hooks,
                   [&](const Tensor& x_t, const Step& step, int64_t index) -> StepResult {
                     const Tensor x_0 = denoise(x_t, step.t).x_0;
                     const auto noise = [&](const Tensor& like) { return step_noise(hooks, like, index); };
                     return {ddim_step(trajectory.schedule, step, {x_t, x_0}, options.eta, noise), x_0};
                   });
}

Tensor invert_ddim(const Denoiser& denoise,
                   const Tensor& x_0,
                   const Trajectory& trajectory,
                   const SamplingHooks& hooks) {
  const Trajectory upwards{trajectory.schedule, {trajectory.steps.rbegin(), trajectory.steps.rend()}};
  return run_steps(upwards, x_0, hooks, [&](const Tensor& x, const Step& step, int64_t) -> StepResult {
    const NoiseSchedule& schedule = trajectory.schedule;
    const int64_t asked = std::max<int64_t>(step.t_prev, 0);  // no network knows a level without noise
    const Tensor estimate = denoise(x, asked).x_0;
    const Tensor eps = epsilon_from_x_0(estimate, x, noise_level(schedule, asked));
    const Tensor clean = step.t_prev < 0 ? x : estimate;
    return {schedule.signal(step.t) * clean + schedule.noise(step.t) * eps, clean};
  });
}

}  // namespace unclip::diffusion
