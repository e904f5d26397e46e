#include "unclip/diffusion/loss.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "unclip/base/error.h"

namespace unclip::diffusion {
namespace {

std::vector<double> logs(const std::vector<double>& values) {
  std::vector<double> result(values.size());
  std::ranges::transform(values, result.begin(), [](double value) { return std::log(value); });
  return result;
}

Tensor row_means(const Tensor& x) { return x.flatten(1).mean(1); }

// Φ(x) = (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2, Page 1977, written so that small values keep their digits.
Tensor normal_cdf(const Tensor& x) {
  return torch::sigmoid(2.0 * std::sqrt(2.0 / std::numbers::pi) * (x + 0.044715 * x.pow(3)));
}

}  // namespace

void LossConfig::validate() const {
  check(!min_snr_gamma || *min_snr_gamma > 0.0, ErrorKind::config, "min_snr_gamma is ",
        min_snr_gamma.value_or(0), ", expected a number above 0");
  check(!v_weight_cap || *v_weight_cap >= 1.0, ErrorKind::config, "v_weight_cap is ",
        v_weight_cap.value_or(0), ", expected a number of at least 1");
  check(!v_weight_cap || !min_snr_gamma, ErrorKind::config,
        "min_snr_gamma and v_weight_cap are both given: choose one weighting");
  check(data_std > 0.0, ErrorKind::config, "data_std is ", data_std, ", expected a number above 0");
  check(vb_weight >= 0.0, ErrorKind::config, "vb_weight is ", vb_weight, ", expected a number of at least 0");
}

std::vector<double> min_snr_weights(const NoiseSchedule& schedule,
                                    Parameterization parameterization,
                                    double gamma,
                                    double data_std) {
  std::vector<double> weights;
  for (const double a : schedule.alpha_bars()) {
    const double snr = data_std * data_std * a / (1.0 - a);
    double weight = std::min(snr, gamma);
    if (parameterization == Parameterization::epsilon) weight /= snr;
    if (parameterization == Parameterization::v) weight /= snr + 1.0;
    weights.push_back(weight);
  }
  return weights;
}

std::vector<double> v_weights(const NoiseSchedule& schedule, double cap) {
  std::vector<double> weights;
  for (const double a : schedule.alpha_bars()) weights.push_back(std::min(1.0 / (1.0 - a), cap));
  return weights;
}

Tensor gaussian_kl(const Gaussian& p, const Gaussian& q) {
  return 0.5 * (q.log_variance - p.log_variance - 1.0 + torch::exp(p.log_variance - q.log_variance) +
                (p.mean - q.mean).square() * torch::exp(-q.log_variance));
}

Tensor discretized_nll(const Tensor& x, const Gaussian& p) {
  constexpr double kHalfBin = 1.0 / 255.0, kEdge = 0.999, kSmallestMass = 1e-12;
  const Tensor inverse_std = torch::exp(-0.5 * p.log_variance), centered = x - p.mean;
  // Every mass is taken in the lower tail, where Φ is accurate: Φ(b) − Φ(a) = Φ(−a) − Φ(−b).
  const Tensor distance = centered.abs();
  const Tensor inside =
      normal_cdf((kHalfBin - distance) * inverse_std) - normal_cdf((-kHalfBin - distance) * inverse_std);
  const Tensor below = normal_cdf((centered + kHalfBin) * inverse_std);
  const Tensor above = normal_cdf((kHalfBin - centered) * inverse_std);
  const Tensor mass = torch::where(x < -kEdge, below, torch::where(x > kEdge, above, inside));
  return -mass.clamp_min(kSmallestMass).log();
}

Tensor variational_bound(const NoiseSchedule& schedule, const NoisedBatch& batch, const Gaussian& p) {
  const Tensor kl = row_means(gaussian_kl(q_posterior(schedule, batch.x_0, batch.x_t, batch.t), p));
  const Tensor nll = row_means(discretized_nll(batch.x_0, p));
  return torch::where(batch.t.to(kl.device()) == 0, nll, kl) / std::numbers::ln2;
}

DiffusionLoss::DiffusionLoss(const DiffusionConfig& config, const LossConfig& loss)
    : schedule_(config.schedule),
      parameterization_(config.parameterization),
      learn_sigma_(config.learn_sigma),
      vb_scale_(loss.vb_weight * static_cast<double>(config.schedule.steps) / 1000.0) {
  config.validate();
  loss.validate();
  if (loss.min_snr_gamma) {
    weights_ = min_snr_weights(schedule_, parameterization_, *loss.min_snr_gamma, loss.data_std);
  } else if (loss.v_weight_cap) {
    check(parameterization_ == Parameterization::x_0, ErrorKind::config,
          "v_weight_cap weights the error of an x_0 network, but the parameterization is '",
          enum_name(parameterization_), "'");
    weights_ = v_weights(schedule_, *loss.v_weight_cap);
  }
}

// p(x_{t−1} | x_t) of a network with learned range. The bound is to train the variance alone, so the mean is
// detached (Nichol & Dhariwal 2021, §3.1).
Gaussian DiffusionLoss::learned_posterior(const NoisedBatch& batch,
                                          const Tensor& mean,
                                          const Tensor& v) const {
  const Tensor x_0 =
      predicted_x_0(parameterization_, mean.detach(), batch.x_t, noise_level(schedule_, batch.t, batch.x_t));
  return {
      .mean = q_posterior(schedule_, x_0, batch.x_t, batch.t).mean,
      .log_variance = learned_range_log_variance((v + 1.0) / 2.0, gather(logs(schedule_.betas()), batch.t, v),
                                                 gather(schedule_.log_variances_small(), batch.t, v))};
}

LossTerms DiffusionLoss::operator()(const NoisedBatch& batch, const Tensor& output) const {
  const int64_t channels = batch.x_0.size(1);
  const int64_t expected = (learn_sigma_ ? 2 : 1) * channels;
  check(output.dim() == batch.x_0.dim() && output.size(1) == expected, ErrorKind::shape,
        "the network's output has shape ", output.sizes(), " for data of ", batch.x_0.sizes(), ", expected ",
        expected, " channels");
  const Tensor answer = output.to(batch.x_0.scalar_type());
  const Tensor mean = answer.narrow(1, 0, channels);
  LossTerms terms;
  terms.mse = row_means((mean - target(parameterization_, schedule_, batch)).square());
  terms.total = weights_ ? gather(*weights_, batch.t, terms.mse) * terms.mse : terms.mse;
  if (!learn_sigma_) return terms;
  const Gaussian p = learned_posterior(batch, mean, answer.narrow(1, channels, channels));
  terms.vb = variational_bound(schedule_, batch, p);
  terms.total = terms.total + vb_scale_ * *terms.vb;
  return terms;
}

}  // namespace unclip::diffusion
