#include "unclip/train/diffusion_training.h"

namespace unclip::train {

diffusion::NoisedBatch noise_batch(const diffusion::NoiseSchedule& schedule,
                                   const torch::Tensor& x_0,
                                   const NoiseKey& key) {
  const torch::Tensor u = uniform_noise(sub_key(key, "timestep"), {x_0.size(0)});
  const torch::Tensor t = (u * schedule.steps()).to(torch::kLong).clamp_max(schedule.steps() - 1);
  return diffusion::noised_batch(schedule, x_0, t, normal_noise(sub_key(key, "noise"), x_0.sizes()));
}

StepLoss mean_loss(const diffusion::LossTerms& terms) {
  StepLoss result{terms.total.mean(), {{"mse", terms.mse.detach().mean().item<double>()}}};
  if (terms.vb) result.metrics.emplace_back("vb", terms.vb->detach().mean().item<double>());
  return result;
}

}  // namespace unclip::train
