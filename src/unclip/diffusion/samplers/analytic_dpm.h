// Analytic-DPM (Bao et al. 2022): the variance that is optimal for the network's own error, which lets few
// ancestral steps suffice. unCLIP's prior samples with it (App. C, Table 3).
#pragma once
#include <span>

#include "unclip/diffusion/samplers/trajectory.h"

namespace unclip::diffusion {

struct AnalyticDpmOptions {
  /// E‖x_0 − x̂_0(x_t, t)‖² / D of every timestep [T], measured on data like that which is sampled.
  std::vector<double> x_0_mse{};
  double data_variance = 1.0;  // cap of x_0_mse: no estimate can be worse than the mean
  double eta = 1.0;            // 1: the DDPM form; less: the DDIM form, λ² = η² β̃
};

/// Theorem 1 and Eq. 9–11: σ² = λ² + c² · E‖x_0 − x̂_0‖² / D, where c is the weight of x_0 in the step's mean.
/// One evaluation of the network per step; no noise in the step to x_0.
/// Throws Error(config) if x_0_mse has not T entries.
Tensor sample_analytic_dpm(const Denoiser& denoise,
                           const Tensor& x_T,
                           const Trajectory& trajectory,
                           const AnalyticDpmOptions& options,
                           const SamplingHooks& hooks);

/// The paper's Γ_t = E‖ε̂(x_t, t)‖² / D of every timestep as mean squared errors: (1 − ᾱ)/ᾱ (1 − Γ), at least
/// 0.
std::vector<double> x_0_mse_from_gamma(const NoiseSchedule& schedule, std::span<const double> gamma);

/// Errors measured at some `timesteps` (ascending) as errors of all T. In between, 1 / error is linear in
/// ᾱ/(1 − ᾱ), which is exact for Gaussian data; before the first, errors are in proportion to (1 − ᾱ)/ᾱ, as
/// they go when noise vanishes; after the last, constant.
std::vector<double> interpolate_x_0_mse(const NoiseSchedule& schedule,
                                        std::span<const int64_t> timesteps,
                                        std::span<const double> x_0_mse);

}  // namespace unclip::diffusion
