// The samplers by name: one configuration and one call for all of them.
#pragma once
#include "unclip/diffusion/samplers/analytic_dpm.h"
#include "unclip/diffusion/samplers/ddim.h"
#include "unclip/diffusion/samplers/ddpm.h"
#include "unclip/diffusion/samplers/dpm_solver.h"
#include "unclip/diffusion/samplers/unipc.h"

namespace unclip::diffusion {

enum class Sampler { ddpm, analytic_dpm, ddim, dpm_solver, unipc };

struct SamplerConfig {
  Sampler kind = Sampler::ddpm;
  std::string timesteps = "64";                       // parse_timesteps
  DdpmVariance variance = DdpmVariance::fixed_small;  // of ddpm
  double eta = 0.0;                                   // of ddim
  double data_variance = 1.0;                         // of analytic_dpm
  int64_t order = 2;                                  // of unipc
  UniPcVariant variant = UniPcVariant::bh2;           // of unipc

  static void fields(auto& self, auto&& field) {
    field("kind", self.kind, "ddpm, analytic_dpm, ddim, dpm_solver or unipc");
    field("timesteps", self.timesteps,
          "how many, or which: 64, 10,10,3,2,2, fast27, ddim25, linspace25, trailing25, logsnr25");
    field("variance", self.variance, "of ddpm: fixed_small, fixed_large or learned_range");
    field("eta", self.eta, "of ddim: 0 (deterministic) to 1 (noise as in ddpm)");
    field("data_variance", self.data_variance, "of analytic_dpm: variance of the data");
    field("order", self.order, "of unipc: 1 to 3");
    field("variant", self.variant, "of unipc: bh1 or bh2");
  }
  /// Throws Error(config), naming the setting. Whether the timesteps fit a chain shows in trajectory().
  void validate() const;
};

struct SamplingInputs {
  SamplingHooks hooks{};
  std::vector<double> x_0_mse{};  // analytic_dpm's table of errors, else unused
};

/// The steps that config.timesteps names on this schedule; for dpm_solver and unipc on its
/// solvable_timesteps.
Trajectory trajectory(const SamplerConfig& config, const NoiseSchedule& schedule);

/// x_0 from x_T (standard normal, [N, …]; NoiseSource's kInitialNoise) with the configured sampler.
Tensor sample(const SamplerConfig& config,
              const NoiseSchedule& schedule,
              const Denoiser& denoise,
              const Tensor& x_T,
              const SamplingInputs& inputs);

}  // namespace unclip::diffusion

template <>
struct unclip::EnumNames<unclip::diffusion::Sampler> {
  static constexpr std::array<std::pair<diffusion::Sampler, std::string_view>, 5> value{
      {{diffusion::Sampler::ddpm, "ddpm"},
       {diffusion::Sampler::analytic_dpm, "analytic_dpm"},
       {diffusion::Sampler::ddim, "ddim"},
       {diffusion::Sampler::dpm_solver, "dpm_solver"},
       {diffusion::Sampler::unipc, "unipc"}}};
};
