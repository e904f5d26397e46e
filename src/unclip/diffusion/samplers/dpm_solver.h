// DPM-Solver++(2M) (Lu et al. 2022b): a second-order multistep solver of the diffusion ODE for x̂_0.
#pragma once
#include "unclip/diffusion/samplers/trajectory.h"

namespace unclip::diffusion {

/// Algorithm 2. One evaluation of the network per step. The first step is of first order, and so is the last
/// one where it ends in x_0 or the steps are fewer than 15, which is more stable.
Tensor sample_dpm_solver(const Denoiser& denoise,
                         const Tensor& x_T,
                         const Trajectory& trajectory,
                         const SamplingHooks& hooks);

/// How many timesteps of the chain have λ_t ≥ lambda_min: solvers start below the rest, where a cosine
/// schedule is so steep in λ that its steps are useless (the authors' code cuts at −5.1; 996 of 1000 remain).
int64_t solvable_timesteps(const NoiseSchedule& schedule, double lambda_min = -5.1);

}  // namespace unclip::diffusion
