// Training losses of the diffusion stages, kept per sample so that they can be weighted and logged.
#pragma once
#include "unclip/diffusion/config.h"

namespace unclip::diffusion {

struct LossConfig {
  std::optional<double> min_snr_gamma{};  // Hang et al. 2023; none: weight 1, as in the papers
  std::optional<double> v_weight_cap{};   // of an x_0 network: see v_weights; none: weight 1
  double data_std = 1.0;   // of x_0: the true signal-to-noise ratio is data_std² ᾱ / (1 − ᾱ)
  double vb_weight = 1.0;  // of the variational bound, times T / 1000, with learn_sigma

  static void fields(auto& self, auto&& field) {
    field("min_snr_gamma", self.min_snr_gamma, "weight losses by min(SNR, gamma); none: all timesteps alike");
    field("v_weight_cap", self.v_weight_cap,
          "weight the error of an x_0 network as an error of v, at most this; none: all timesteps alike");
    field("data_std", self.data_std, "standard deviation of the data, for the signal-to-noise ratio");
    field("vb_weight", self.vb_weight, "weight of the variational bound that trains a learned variance");
  }
  void validate() const;
};

/// All [N], in the batch's type; total is to be averaged.
struct LossTerms {
  Tensor mse;                // mean squared error to the target, unweighted
  std::optional<Tensor> vb;  // one term of the variational bound, bits per dimension, with learn_sigma
  Tensor total;              // weight · mse + vb_weight · T / 1000 · vb
};

class DiffusionLoss {
 public:
  DiffusionLoss(const DiffusionConfig& config, const LossConfig& loss);
  /// output: the network's raw answer to (batch.x_t, batch.t), [N, C, …] or with learn_sigma [N, 2C, …].
  LossTerms operator()(const NoisedBatch& batch, const Tensor& output) const;
  const NoiseSchedule& schedule() const { return schedule_; }

 private:
  Gaussian learned_posterior(const NoisedBatch& batch, const Tensor& mean, const Tensor& v) const;
  NoiseSchedule schedule_;
  Parameterization parameterization_;
  bool learn_sigma_;
  double vb_scale_;                             // vb_weight · T / 1000
  std::optional<std::vector<double>> weights_;  // per timestep
};

/// Weight of timestep t's squared error, Hang et al. 2023, Eq. 4 and §3.4, with SNR = data_std² ᾱ / (1 − ᾱ):
/// x_0 min(SNR, γ), ε min(SNR, γ) / SNR, v min(SNR, γ) / (SNR + 1).
std::vector<double> min_snr_weights(const NoiseSchedule& schedule,
                                    Parameterization parameterization,
                                    double gamma,
                                    double data_std);

/// Weight of timestep t's squared error of x_0 that makes it the squared error of v: with ε solved from x̂_0,
/// v̂ − v = (x_0 − x̂_0) / √(1 − ᾱ), so 1 / (1 − ᾱ) = SNR + 1 (Salimans & Ho 2022, §4), at most `cap`.
std::vector<double> v_weights(const NoiseSchedule& schedule, double cap);

/// KL(p ‖ q) per element, in nats.
Tensor gaussian_kl(const Gaussian& p, const Gaussian& q);
/// −ln of the mass that a Gaussian puts on the 8-bit bin x ± 1/255 of x in −1…1, in nats; the bins at ±1 are
/// open (Ho et al. 2020, Eq. 13). The normal CDF by its tanh approximation, the mass at least 1e-12.
Tensor discretized_nll(const Tensor& x, const Gaussian& p);
/// L_{t−1} = KL(q(x_{t−1} | x_t, x_0) ‖ p), or L_0 = −ln p(x_0 | x_1) where t = 0: [N], bits per dimension.
Tensor variational_bound(const NoiseSchedule& schedule, const NoisedBatch& batch, const Gaussian& p);

}  // namespace unclip::diffusion
