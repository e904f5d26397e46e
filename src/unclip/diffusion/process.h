// The forward process q and its posterior, for training batches whose rows have different timesteps.
#pragma once
#include <torch/types.h>

#include <vector>

#include "unclip/diffusion/noise_schedule.h"

namespace unclip::diffusion {

using torch::Tensor;

/// table[t] of each row, [N, 1, …, 1] with as many axes as `like`, in its type and on its device.
/// t int64 [N]; throws Error(shape) if t does not fit.
Tensor gather(const std::vector<double>& table, const Tensor& t, const Tensor& like);

/// √ᾱ_t and √(1 − ᾱ_t): numbers for a whole batch (double), or one per row (Tensor [N, 1, …]).
template <class Scale>
struct NoiseLevel {
  Scale signal;
  Scale noise;
};
NoiseLevel<double> noise_level(const NoiseSchedule& schedule, int64_t t);
NoiseLevel<Tensor> noise_level(const NoiseSchedule& schedule, const Tensor& t, const Tensor& like);

/// x_t = √ᾱ_t x_0 + √(1 − ᾱ_t) ε, Ho et al. 2020, Eq. 4; x_0 and eps [N, …], t int64 [N].
Tensor q_sample(const NoiseSchedule& schedule, const Tensor& x_0, const Tensor& t, const Tensor& eps);

/// A diagonal Gaussian.
struct Gaussian {
  Tensor mean;
  Tensor log_variance;  // broadcasts over mean
};

/// q(x_{t−1} | x_t, x_0), Ho et al. 2020, Eq. 6–7; the log variance at t = 0 is that of t = 1.
Gaussian q_posterior(const NoiseSchedule& schedule, const Tensor& x_0, const Tensor& x_t, const Tensor& t);

/// ln σ² = f ln β + (1 − f) ln β̃, Nichol & Dhariwal 2021, Eq. 15; `Log` is double or Tensor.
template <class Log>
Tensor learned_range_log_variance(const Tensor& fraction, const Log& log_beta, const Log& log_small) {
  return fraction * log_beta + (1.0 - fraction) * log_small;
}

/// One training batch: x_t = q_sample(x_0, t, eps).
struct NoisedBatch {
  Tensor x_0;  // [N, …]
  Tensor t;    // int64 [N]
  Tensor eps;  // [N, …]
  Tensor x_t;  // [N, …]
};
NoisedBatch noised_batch(const NoiseSchedule& schedule, Tensor x_0, Tensor t, Tensor eps);

}  // namespace unclip::diffusion
