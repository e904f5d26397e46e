#include "unclip/diffusion/samplers/dpm_solver.h"

#include <cmath>

#include "unclip/base/error.h"

namespace unclip::diffusion {
namespace {

constexpr int64_t kFewSteps = 15;

bool is_first_order(const Step& step, int64_t index, int64_t count) {
  return index == 0 || step.t_prev < 0 || (index == count - 1 && count < kFewSteps);
}

}  // namespace

Tensor sample_dpm_solver(const Denoiser& denoise,
                         const Tensor& x_T,
                         const Trajectory& trajectory,
                         const SamplingHooks& hooks) {
  const NoiseSchedule& schedule = trajectory.schedule;
  const auto count = static_cast<int64_t>(trajectory.steps.size());
  Tensor x_0_before;  // of the step before, at λ_before
  double lambda_before = 0.0;
  return run_steps(trajectory, x_T, hooks,
                   [&](const Tensor& x_t, const Step& step, int64_t index) -> StepResult {
                     const double lambda = schedule.lambda(step.t), h = schedule.lambda(step.t_prev) - lambda;
                     const Tensor x_0 = denoise(x_t, step.t).x_0;
                     Tensor d = x_0;
                     if (!is_first_order(step, index, count)) {
                       const double r = (lambda - lambda_before) / h;
                       d = x_0 + (x_0 - x_0_before) / (2.0 * r);
                     }
                     x_0_before = x_0;
                     lambda_before = lambda;
                     const double x_scale = schedule.noise(step.t_prev) / schedule.noise(step.t);
                     return {x_scale * x_t - schedule.signal(step.t_prev) * std::expm1(-h) * d, x_0};
                   });
}

int64_t solvable_timesteps(const NoiseSchedule& schedule, double lambda_min) {
  int64_t count = schedule.steps();
  while (count > 0 && schedule.lambda(count - 1) < lambda_min) --count;
  check(count > 0, ErrorKind::config, "the noise schedule has no timestep with half log-SNR of at least ",
        lambda_min);
  return count;
}

}  // namespace unclip::diffusion
