// DDPM: ancestral sampling (Ho et al. 2020, Algorithm 2), on any stride.
#pragma once
#include "unclip/diffusion/samplers/trajectory.h"

namespace unclip::diffusion {

/// σ² of a step: β̃, β, or between them as the network says (Nichol & Dhariwal 2021, §3.1). β and β̃ are those
/// of the step's own stride.
enum class DdpmVariance { fixed_small, fixed_large, learned_range };

struct DdpmOptions {
  DdpmVariance variance = DdpmVariance::fixed_small;
};

/// One evaluation of the network per step; no noise is added in the step to x_0.
/// Throws Error(config) for learned_range if the network predicts no variance.
Tensor sample_ddpm(const Denoiser& denoise,
                   const Tensor& x_T,
                   const Trajectory& trajectory,
                   const DdpmOptions& options,
                   const SamplingHooks& hooks);

}  // namespace unclip::diffusion

template <>
struct unclip::EnumNames<unclip::diffusion::DdpmVariance> {
  static constexpr std::array<std::pair<diffusion::DdpmVariance, std::string_view>, 3> value{
      {{diffusion::DdpmVariance::fixed_small, "fixed_small"},
       {diffusion::DdpmVariance::fixed_large, "fixed_large"},
       {diffusion::DdpmVariance::learned_range, "learned_range"}}};
};
