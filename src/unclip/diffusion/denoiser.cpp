#include "unclip/diffusion/denoiser.h"

#include <cmath>

#include "unclip/base/error.h"

namespace unclip::diffusion {

void ThresholdConfig::validate() const {
  check(std::isfinite(bound) && bound > 0.0, ErrorKind::config, "threshold.bound is ", bound,
        ", expected a number above 0");
  check(quantile > 0.0 && quantile <= 1.0, ErrorKind::config, "threshold.quantile is ", quantile,
        ", expected a number above 0 and at most 1");
}

void DiffusionConfig::validate() const {
  schedule.validate();
  threshold.validate();
}

Denoiser make_denoiser(const NoiseSchedule& schedule, const DiffusionConfig& config, Network network) {
  const int64_t factor = config.learn_sigma ? 2 : 1;
  return [schedule, factor, parameterization = config.parameterization, network = std::move(network)](
             const Tensor& x_t, int64_t t) {
    const Tensor output = network(x_t, t).to(x_t.scalar_type());
    const int64_t channels = x_t.size(1);
    check(output.dim() == x_t.dim() && output.size(0) == x_t.size(0) && output.size(1) == factor * channels,
          ErrorKind::shape, "the network's output has shape ", output.sizes(), " for an input of ",
          x_t.sizes(), ", expected ", factor * channels, " channels",
          factor == 2 ? " (mean and variance)" : "");
    const Tensor mean = output.narrow(1, 0, channels);
    Prediction prediction{.x_0 = predicted_x_0(parameterization, mean, x_t, noise_level(schedule, t))};
    if (factor == 2) prediction.variance_fraction = (output.narrow(1, channels, channels) + 1.0) / 2.0;
    return prediction;
  };
}

Tensor guided(const Tensor& conditional, const Tensor& unconditional, double scale, int64_t channels) {
  const Tensor e_c = conditional.narrow(1, 0, channels), e_0 = unconditional.narrow(1, 0, channels);
  Tensor mixed = e_0 + scale * (e_c - e_0);
  if (conditional.size(1) == channels) return mixed;
  return torch::cat({mixed, conditional.narrow(1, channels, conditional.size(1) - channels)}, 1);
}

Network guide(Network conditional, Network unconditional, double scale) {
  if (scale == 1.0) return conditional;
  return [conditional = std::move(conditional), unconditional = std::move(unconditional), scale](
             const Tensor& x_t, int64_t t) {
    return guided(conditional(x_t, t), unconditional(x_t, t), scale, x_t.size(1));
  };
}

Network guide_doubled(Network doubled, double scale) {
  return [doubled = std::move(doubled), scale](const Tensor& x_t, int64_t t) {
    const Tensor both = doubled(torch::cat({x_t, x_t}), t);
    check(both.size(0) == 2 * x_t.size(0), ErrorKind::shape, "a guided network answered ", both.size(0),
          " rows, expected ", 2 * x_t.size(0), ": conditional ones, then unconditional ones");
    const auto halves = both.chunk(2);
    return guided(halves[0], halves[1], scale, x_t.size(1));
  };
}

Tensor dynamic_threshold(const Tensor& x_0, double quantile, double bound) {
  std::vector<Tensor> rows;
  for (const Tensor& row : x_0.unbind()) {  // row by row: at::quantile limits the size of its input
    const Tensor s = row.abs().flatten().quantile(quantile).clamp_min(bound);
    rows.push_back(torch::minimum(torch::maximum(row, -s), s) * (bound / s));
  }
  return torch::stack(rows);
}

Denoiser threshold(Denoiser denoise, const ThresholdConfig& config) {
  config.validate();
  if (config.kind == Threshold::none) return denoise;
  return [denoise = std::move(denoise), config](const Tensor& x_t, int64_t t) {
    Prediction prediction = denoise(x_t, t);
    prediction.x_0 = config.kind == Threshold::clamp
                         ? prediction.x_0.clamp(-config.bound, config.bound)
                         : dynamic_threshold(prediction.x_0, config.quantile, config.bound);
    return prediction;
  };
}

}  // namespace unclip::diffusion
