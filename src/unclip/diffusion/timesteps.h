// Which timesteps of a chain of T a sampler visits. Every list is ascending and without repetition.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "unclip/diffusion/noise_schedule.h"

namespace unclip::diffusion {

/// The chain is cut into counts.size() equal sections and counts[i] timesteps are spread evenly over section
/// i, its ends included (Nichol & Dhariwal 2021, §4; the same indices as OpenAI's code, rounding included).
/// DIFFERS: one single timestep in all is T − 1, not 0.
std::vector<int64_t> section_timesteps(int64_t chain_steps, std::span<const int64_t> counts);
/// Exactly `count` multiples of a whole stride, from 0 (Song et al. 2021, App. D.2). Throws if none fits.
std::vector<int64_t> ddim_timesteps(int64_t chain_steps, int64_t count);
/// round(i (T − 1) / (count − 1)): both ends, as Karlo's and diffusers' UnCLIPScheduler.
std::vector<int64_t> linspace_timesteps(int64_t chain_steps, int64_t count);
/// round(T − i T / count) − 1: ends at T − 1, starts one stride above −1 (Lin et al. 2023, Table 2).
std::vector<int64_t> trailing_timesteps(int64_t chain_steps, int64_t count);

/// Even in λ_t between both ends of the first `chain_steps` timesteps: the best steps of ODE solvers on small
/// pictures (Lu et al. 2022, §3.4 and App. D).
std::vector<int64_t> log_snr_timesteps(const NoiseSchedule& schedule, int64_t chain_steps, int64_t count);

/// The timesteps that a text names among the first `chain_steps` of the schedule: "64" or "10,10,3,2,2"
/// (sections), "ddim25", "linspace25", "trailing25", "logsnr25", or "fast27": GLIDE's 10,10,3,2,2 whose last
/// timestep is T − 3. Throws Error(config).
std::vector<int64_t> parse_timesteps(const std::string& spacing,
                                     const NoiseSchedule& schedule,
                                     int64_t chain_steps);

/// From the last timestep down to x_0: {t_K, t_{K−1}}, …, {t_1, −1}.
std::vector<Step> sampling_steps(std::span<const int64_t> timesteps);

}  // namespace unclip::diffusion
