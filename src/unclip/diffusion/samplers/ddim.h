// DDIM (Song et al. 2021) and its inverse, which encodes a picture as x_T (unCLIP §3).
#pragma once
#include "unclip/diffusion/samplers/trajectory.h"

namespace unclip::diffusion {

struct DdimOptions {
  double eta = 0.0;  // 0: deterministic; 1: the noise of DDPM with fixed_small
};

/// x_{t_prev} from x_t and the estimate x̂_0, Eq. 12 with σ² = η² β̃ of Eq. 16; `noise` is asked only if σ > 0.
Tensor ddim_step(const NoiseSchedule& schedule,
                 const Step& step,
                 const StepResult& state,
                 double eta,
                 const std::function<Tensor(const Tensor& like)>& noise);

/// Eq. 12 and 16. One evaluation of the network per step. Throws Error(config) unless 0 ≤ eta ≤ 1.
Tensor sample_ddim(const Denoiser& denoise,
                   const Tensor& x_T,
                   const Trajectory& trajectory,
                   const DdimOptions& options,
                   const SamplingHooks& hooks);

/// Runs the trajectory backwards, from x_0 to x_T: Eq. 13 as an Euler step towards more noise, with the
/// network asked at the less noisy end of each step. sample_ddim with eta 0 and the same trajectory returns
/// about x_0; for that the denoiser must be the same both ways and should neither clamp nor be guided
/// (Dhariwal & Nichol 2021, App. F). Its final state is x_t of the trajectory's first t, never pure ε̂:
/// nothing needs skipping.
Tensor invert_ddim(const Denoiser& denoise,
                   const Tensor& x_0,
                   const Trajectory& trajectory,
                   const SamplingHooks& hooks);

}  // namespace unclip::diffusion
