#include "unclip/diffusion/process.h"

#include "unclip/base/error.h"

namespace unclip::diffusion {
Tensor gather(const std::vector<double>& table, const Tensor& t, const Tensor& like) {
  check(t.dim() == 1 && t.scalar_type() == torch::kInt64 && t.size(0) == like.size(0), ErrorKind::shape,
        "timesteps have shape ", t.sizes(), " and type ", t.scalar_type(), ", expected int64 [", like.size(0),
        "]: one per row");
  const auto count = static_cast<int64_t>(table.size());
  // On an accelerator this check would wait for the device; its own index check remains.
  check(!t.is_cpu() || t.numel() == 0 || (t.min().item<int64_t>() >= 0 && t.max().item<int64_t>() < count),
        ErrorKind::shape, "timesteps lie outside the schedule, expected 0 to ", count - 1);
  std::vector<int64_t> shape(static_cast<size_t>(like.dim()), 1);
  shape[0] = like.size(0);
  const Tensor values = torch::tensor(table, torch::kFloat64).to(like.scalar_type()).to(like.device());
  return values.index_select(0, t.to(like.device())).view(shape);
}

NoiseLevel<double> noise_level(const NoiseSchedule& schedule, int64_t t) {
  return {.signal = schedule.signal(t), .noise = schedule.noise(t)};
}

NoiseLevel<Tensor> noise_level(const NoiseSchedule& schedule, const Tensor& t, const Tensor& like) {
  std::vector<double> signal, noise;
  for (int64_t s = 0; s < schedule.steps(); ++s) {
    signal.push_back(schedule.signal(s));
    noise.push_back(schedule.noise(s));
  }
  return {.signal = gather(signal, t, like), .noise = gather(noise, t, like)};
}

Tensor q_sample(const NoiseSchedule& schedule, const Tensor& x_0, const Tensor& t, const Tensor& eps) {
  check(x_0.sizes() == eps.sizes(), ErrorKind::shape, "noise has shape ", eps.sizes(),
        ", expected that of x_0, ", x_0.sizes());
  const NoiseLevel<Tensor> level = noise_level(schedule, t, x_0);
  return level.signal * x_0 + level.noise * eps;
}

Gaussian q_posterior(const NoiseSchedule& schedule, const Tensor& x_0, const Tensor& x_t, const Tensor& t) {
  std::vector<double> x_0_scale, x_t_scale;
  for (int64_t s = 0; s < schedule.steps(); ++s) {
    const Posterior posterior = schedule.posterior({s, s - 1});
    x_0_scale.push_back(posterior.x_0_scale);
    x_t_scale.push_back(posterior.x_t_scale);
  }
  return {.mean = gather(x_0_scale, t, x_0) * x_0 + gather(x_t_scale, t, x_t) * x_t,
          .log_variance = gather(schedule.log_variances_small(), t, x_t)};
}

NoisedBatch noised_batch(const NoiseSchedule& schedule, Tensor x_0, Tensor t, Tensor eps) {
  Tensor x_t = q_sample(schedule, x_0, t, eps);
  return {std::move(x_0), std::move(t), std::move(eps), std::move(x_t)};
}

}  // namespace unclip::diffusion
