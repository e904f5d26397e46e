// From a network's raw output to the estimate x̂_0(x_t, t): all that a sampler knows of a model.
//   threshold(make_denoiser(schedule, config, guide(conditional, unconditional, 3.0)), config.threshold)
#pragma once
#include <functional>

#include "unclip/diffusion/config.h"

namespace unclip::diffusion {

/// x_t [N, C, …], t -> raw output, [N, C, …] or, with a learned variance, [N, 2C, …].
using Network = std::function<Tensor(const Tensor& x_t, int64_t t)>;

struct Prediction {
  Tensor x_0;  // [N, C, …]
  /// Share f of ln β in ln σ² = f ln β + (1 − f) ln β̃ (Nichol & Dhariwal 2021, Eq. 15), nominally 0…1.
  /// A share, because β and β̃ belong to the sampler's stride, not to t.
  std::optional<Tensor> variance_fraction{};  // [N, C, …]
};
using Denoiser = std::function<Prediction(const Tensor& x_t, int64_t t)>;

/// Reads the network's output by config.parameterization and config.learn_sigma; x̂_0 comes in x_t's type.
/// config.threshold is not applied: see threshold(). Throws Error(shape) if the output has other channels.
Denoiser make_denoiser(const NoiseSchedule& schedule, const DiffusionConfig& config, Network network);

/// Classifier-free guidance (Ho & Salimans 2022): e_∅ + scale (e_c − e_∅) on the first C channels; variance
/// channels stay those of e_c. Scale 1 asks the conditional network alone.
Network guide(Network conditional, Network unconditional, double scale);
/// The same with both networks in one call, which CPUs need: `doubled` gets x_t twice, [2N, C, …], rows
/// 0…N−1 to be read with the condition and rows N…2N−1 without.
Network guide_doubled(Network doubled, double scale);
/// The mix of two raw outputs for C data channels.
Tensor guided(const Tensor& conditional, const Tensor& unconditional, double scale, int64_t channels);

/// Applies config to every x̂_0; samplers derive ε from the result.
Denoiser threshold(Denoiser denoise, const ThresholdConfig& config);
/// s = max(quantile of |x_0| of each row, bound): clamp to ±s and scale by bound / s.
Tensor dynamic_threshold(const Tensor& x_0, double quantile, double bound);

}  // namespace unclip::diffusion
