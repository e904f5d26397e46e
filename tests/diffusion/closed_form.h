// Data whose best denoiser is known in closed form.
#pragma once
#include <cmath>

#include "unclip/diffusion/denoiser.h"

namespace unclip::diffusion {

inline constexpr auto kDouble = torch::kFloat64;

/// Data N(mean, std²) in every dimension.
struct GaussianData {
  double mean = 0.3;
  double std = 0.5;

  /// Var(x_0 | x_t): the error of the best denoiser.
  double conditional_variance(double alpha_bar) const {
    return std * std * (1 - alpha_bar) / (std * std * alpha_bar + 1 - alpha_bar);
  }
  /// E(x_0 | x_t).
  Tensor x_0(const Tensor& x_t, double alpha_bar) const {
    const double gain = std * std * std::sqrt(alpha_bar) / (std * std * alpha_bar + 1 - alpha_bar);
    return mean + gain * (x_t - std::sqrt(alpha_bar) * mean);
  }
  /// Where the ODE carries the state that stands `z` standard deviations from the mean.
  Tensor quantile(const Tensor& z, double alpha_bar) const {
    return std::sqrt(alpha_bar) * mean + std::sqrt(std * std * alpha_bar + 1 - alpha_bar) * z;
  }
  std::vector<double> x_0_mse(const NoiseSchedule& schedule) const {
    std::vector<double> result;
    for (const double a : schedule.alpha_bars()) result.push_back(conditional_variance(a));
    return result;
  }
};

/// The best network of a parameterization, read as any network is.
inline Denoiser best_denoiser(const GaussianData& data,
                              const NoiseSchedule& schedule,
                              Parameterization kind) {
  DiffusionConfig config;
  config.parameterization = kind;
  return make_denoiser(schedule, config, [=](const Tensor& x_t, int64_t t) {
    const auto level = noise_level(schedule, t);
    const Tensor x_0 = data.x_0(x_t, schedule.alpha_bar(t)), eps = epsilon_from_x_0(x_0, x_t, level);
    if (kind == Parameterization::x_0) return x_0;
    return kind == Parameterization::epsilon ? eps : v_from_x_0_and_epsilon(x_0, eps, level);
  });
}

inline NoiseSchedule schedule_of(ScheduleKind kind) {
  ScheduleConfig config;
  config.kind = kind;
  return NoiseSchedule(config);
}

/// Half the data N(−1, 0.25²), half N(1, 0.25²), in every dimension.
inline Denoiser mixture_denoiser(const NoiseSchedule& schedule) {
  return [schedule](const Tensor& x_t, int64_t t) {
    const double a = schedule.alpha_bar(t), variance = 0.0625 * a + 1 - a;
    const Tensor balance = torch::tanh(x_t * (std::sqrt(a) / variance));  // P(right) − P(left)
    const Tensor x_0 = balance + 0.0625 * std::sqrt(a) / variance * (x_t - std::sqrt(a) * balance);
    return Prediction{x_0, std::nullopt};
  };
}

}  // namespace unclip::diffusion
