#include "unclip/diffusion/sampler.h"

#include "unclip/base/error.h"
#include "unclip/diffusion/timesteps.h"

namespace unclip::diffusion {

void SamplerConfig::validate() const {
  check(!timesteps.empty(), ErrorKind::config, "timesteps are empty, expected for instance \"64\"");
  check(eta >= 0.0 && eta <= 1.0, ErrorKind::config, "eta is ", eta, ", expected a number from 0 to 1");
  check(data_variance > 0.0, ErrorKind::config, "data_variance is ", data_variance,
        ", expected a number above 0");
  check(order >= 1 && order <= 3, ErrorKind::config, "the order of UniPC is ", order, ", expected 1, 2 or 3");
}

Trajectory trajectory(const SamplerConfig& config, const NoiseSchedule& schedule) {
  const bool solves_ode = config.kind == Sampler::dpm_solver || config.kind == Sampler::unipc;
  const int64_t chain_steps = solves_ode ? solvable_timesteps(schedule) : schedule.steps();
  return {schedule, sampling_steps(parse_timesteps(config.timesteps, schedule, chain_steps))};
}

Tensor sample(const SamplerConfig& config,
              const NoiseSchedule& schedule,
              const Denoiser& denoise,
              const Tensor& x_T,
              const SamplingInputs& inputs) {
  config.validate();
  const Trajectory path = trajectory(config, schedule);
  switch (config.kind) {
    case Sampler::ddpm:
      return sample_ddpm(denoise, x_T, path, {config.variance}, inputs.hooks);
    case Sampler::analytic_dpm:
      return sample_analytic_dpm(denoise, x_T, path, {inputs.x_0_mse, config.data_variance}, inputs.hooks);
    case Sampler::ddim:
      return sample_ddim(denoise, x_T, path, {config.eta}, inputs.hooks);
    case Sampler::dpm_solver:
      return sample_dpm_solver(denoise, x_T, path, inputs.hooks);
    case Sampler::unipc:
      return sample_unipc(denoise, x_T, path, {config.order, config.variant}, inputs.hooks);
  }
  fail(ErrorKind::config, "an unknown sampler was asked for");
}

}  // namespace unclip::diffusion
