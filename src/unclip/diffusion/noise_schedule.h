// Noise schedules of the Gaussian diffusion, as tables in double precision (or rounded as others round them).
// t counts from 0 (least noise) to T − 1; t = −1 stands for the clean x_0, where ᾱ = 1.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "unclip/base/config.h"

namespace unclip::diffusion {

enum class ScheduleKind { cosine, linear };
/// Of β, ᾱ and 1 − ᾱ. Checkpoints released for diffusers' schedulers were sampled with float32 tables; where
/// ᾱ is near 1, that moves a step's mean by up to 1e-3.
enum class TablePrecision { float64, float32 };

struct ScheduleConfig {
  ScheduleKind kind = ScheduleKind::cosine;
  int64_t steps = 1000;
  std::optional<double> linear_start{};  // β_0; by default 0.1 / T
  std::optional<double> linear_end{};    // β_{T−1}; by default 20 / T
  double log_snr_shift = 0.0;            // 2 ln(64 / size) in Hoogeboom et al. 2023, §3.1
  TablePrecision tables = TablePrecision::float64;

  static void fields(auto& self, auto&& field) {
    field("kind", self.kind, "cosine or linear");
    field("steps", self.steps, "timesteps T");
    field("linear_start", self.linear_start, "first beta of a linear schedule; by default 0.1 / T");
    field("linear_end", self.linear_end, "last beta of a linear schedule; by default 20 / T");
    field("log_snr_shift", self.log_snr_shift,
          "added to the log signal-to-noise ratio everywhere; 2 ln(64 / size) for larger pictures");
    field("tables", self.tables, "float64, or float32 as in diffusers' schedulers");
  }
  /// Throws Error(config) unless 2 ≤ steps ≤ 100,000 and every beta lies inside (0, 1).
  void validate() const;
};

/// One sampling step, from x_t to x_{t_prev}; −1 ≤ t_prev < t.
struct Step {
  int64_t t = 0;
  int64_t t_prev = -1;
  bool operator==(const Step&) const = default;
};

/// q(x_{t_prev} | x_t, x_0) = N(x_0_scale · x_0 + x_t_scale · x_t, variance), Ho et al. 2020, Eq. 6–7.
struct Posterior {
  double x_0_scale = 0;
  double x_t_scale = 0;
  double variance = 0;  // β̃
  double beta = 0;      // β of the step itself: 1 − ᾱ_t / ᾱ_{t_prev}
};

class NoiseSchedule {
 public:
  explicit NoiseSchedule(const ScheduleConfig& config);
  explicit NoiseSchedule(std::vector<double> betas, TablePrecision tables = TablePrecision::float64);

  int64_t steps() const { return static_cast<int64_t>(betas_.size()); }
  double alpha_bar(int64_t t) const;  // ∏_{s ≤ t} (1 − β_s); 1 at t = −1
  double signal(int64_t t) const;     // √ᾱ_t
  double noise(int64_t t) const;      // √(1 − ᾱ_t)
  double lambda(int64_t t) const;     // ln(√ᾱ_t / √(1 − ᾱ_t)), half the log-SNR; ∞ at t = −1
  Posterior posterior(const Step& step) const;      // of any stride; β is that of the table where it is 1
  std::vector<double> posterior_variances() const;  // β̃_t of the steps t → t − 1
  std::vector<double> log_variances_small() const;  // ln β̃_t; ln β̃_1 at t = 0 (Nichol & Dhariwal 2021)
  const std::vector<double>& betas() const { return betas_; }
  const std::vector<double>& alpha_bars() const { return alpha_bars_; }

  /// The chain that visits `timesteps` (ascending) only: its step i stands for timesteps[i]; the network is
  /// still asked about timesteps[i] (Nichol & Dhariwal 2021, §4).
  NoiseSchedule respaced(std::span<const int64_t> timesteps) const;

 private:
  double rounded(double x) const;               // to the tables' precision
  double one_minus_alpha_bar(int64_t t) const;  // 1 − ᾱ_t, the variance of x_t's noise
  TablePrecision tables_;
  std::vector<double> betas_;
  std::vector<double> alpha_bars_;
};

/// β_t = min(1 − f(t+1)/f(t), 0.999), f(t) = cos²((t/T + 0.008)/1.008 · π/2): Nichol & Dhariwal 2021, Eq. 17.
std::vector<double> cosine_betas(int64_t steps);
/// Evenly spaced from `start` to `end`: Ho et al. 2020, §4.
std::vector<double> linear_betas(int64_t steps, double start, double end);
/// The same schedule with `shift` added to ln(ᾱ/(1 − ᾱ)) everywhere: Hoogeboom et al. 2023, Eq. 4.
std::vector<double> shifted_betas(const std::vector<double>& betas, double shift);

}  // namespace unclip::diffusion

template <>
struct unclip::EnumNames<unclip::diffusion::ScheduleKind> {
  static constexpr std::array<std::pair<diffusion::ScheduleKind, std::string_view>, 2> value{
      {{diffusion::ScheduleKind::cosine, "cosine"}, {diffusion::ScheduleKind::linear, "linear"}}};
};
template <>
struct unclip::EnumNames<unclip::diffusion::TablePrecision> {
  static constexpr std::array<std::pair<diffusion::TablePrecision, std::string_view>, 2> value{
      {{diffusion::TablePrecision::float64, "float64"}, {diffusion::TablePrecision::float32, "float32"}}};
};
