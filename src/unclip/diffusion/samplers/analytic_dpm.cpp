#include "unclip/diffusion/samplers/analytic_dpm.h"

#include <algorithm>
#include <cmath>

#include "unclip/base/error.h"

namespace unclip::diffusion {
namespace {

/// x_{t_prev} = signal · x̂_0 + direction · ε̂ + √variance · n.
struct AnalyticStep {
  double signal, direction, variance;
};

AnalyticStep analytic_step(const NoiseSchedule& schedule,
                           const Step& step,
                           const AnalyticDpmOptions& options) {
  const double lambda_squared = options.eta * options.eta * schedule.posterior(step).variance;
  const double signal = schedule.signal(step.t_prev);
  const double direction = std::sqrt(std::max(0.0, 1.0 - schedule.alpha_bar(step.t_prev) - lambda_squared));
  // ε̂ holds x̂_0 too: together they weigh x_0 with c.
  const double c = signal - direction * schedule.signal(step.t) / schedule.noise(step.t);
  const double mse = std::clamp(options.x_0_mse[static_cast<size_t>(step.t)], 0.0, options.data_variance);
  return {signal, direction, lambda_squared + c * c * mse};
}

void check_options(const NoiseSchedule& schedule, const AnalyticDpmOptions& options) {
  check(static_cast<int64_t>(options.x_0_mse.size()) == schedule.steps(), ErrorKind::config,
        "Analytic-DPM was given the x_0 errors of ", options.x_0_mse.size(), " timesteps, expected ",
        schedule.steps(), "; measure them on validation data or choose another sampler");
  check(options.data_variance > 0.0, ErrorKind::config, "data_variance is ", options.data_variance,
        ", expected a number above 0");
  check(options.eta >= 0.0 && options.eta <= 1.0, ErrorKind::config, "eta is ", options.eta,
        ", expected a number from 0 to 1");
}

}  // namespace

Tensor sample_analytic_dpm(const Denoiser& denoise,
                           const Tensor& x_T,
                           const Trajectory& trajectory,
                           const AnalyticDpmOptions& options,
                           const SamplingHooks& hooks) {
  check_options(trajectory.schedule, options);
  return run_steps(trajectory, x_T, hooks,
                   [&](const Tensor& x_t, const Step& step, int64_t index) -> StepResult {
                     const AnalyticStep scale = analytic_step(trajectory.schedule, step, options);
                     const Tensor x_0 = denoise(x_t, step.t).x_0;
                     const Tensor eps = epsilon_from_x_0(x_0, x_t, noise_level(trajectory.schedule, step.t));
                     Tensor x = scale.signal * x_0 + scale.direction * eps;
                     if (step.t_prev >= 0 && scale.variance > 0.0) {
                       x = x + std::sqrt(scale.variance) * step_noise(hooks, x, index);
                     }
                     return {x, x_0};
                   });
}

std::vector<double> x_0_mse_from_gamma(const NoiseSchedule& schedule, std::span<const double> gamma) {
  check(static_cast<int64_t>(gamma.size()) == schedule.steps(), ErrorKind::config, "Γ has ", gamma.size(),
        " entries, expected one for each of ", schedule.steps(), " timesteps");
  std::vector<double> x_0_mse;
  for (size_t t = 0; t < gamma.size(); ++t) {
    const double a = schedule.alpha_bars()[t];
    x_0_mse.push_back(std::max(0.0, (1.0 - a) / a * (1.0 - gamma[t])));
  }
  return x_0_mse;
}

std::vector<double> interpolate_x_0_mse(const NoiseSchedule& schedule,
                                        std::span<const int64_t> timesteps,
                                        std::span<const double> x_0_mse) {
  check(!timesteps.empty() && timesteps.size() == x_0_mse.size() && std::ranges::is_sorted(timesteps),
        ErrorKind::config, "x_0 errors are given at ", timesteps.size(), " timesteps with ", x_0_mse.size(),
        " values, expected as many of both and timesteps in ascending order");
  const auto snr = [&](int64_t t) { return std::exp(2.0 * schedule.lambda(t)); };
  const auto precision = [&](size_t i) { return 1.0 / std::max(x_0_mse[i], 1e-30); };
  std::vector<double> result;
  size_t next = 0;  // the first measured timestep at or after t
  for (int64_t t = 0; t < schedule.steps(); ++t) {
    while (next < timesteps.size() && timesteps[next] < t) ++next;
    if (next == 0) {
      result.push_back(x_0_mse[0] * snr(timesteps[0]) / snr(t));
    } else if (next == timesteps.size()) {
      result.push_back(x_0_mse.back());
    } else {
      const double before = snr(timesteps[next - 1]), after = snr(timesteps[next]);
      const double share = (snr(t) - before) / (after - before);
      result.push_back(1.0 / ((1.0 - share) * precision(next - 1) + share * precision(next)));
    }
  }
  return result;
}

}  // namespace unclip::diffusion
