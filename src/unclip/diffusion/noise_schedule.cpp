#include "unclip/diffusion/noise_schedule.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "unclip/base/error.h"

namespace unclip::diffusion {
namespace {

constexpr double kMaxBeta = 0.999;

std::vector<double> betas_of(const ScheduleConfig& config) {
  const auto steps = static_cast<double>(config.steps);
  std::vector<double> betas = config.kind == ScheduleKind::cosine
                                  ? cosine_betas(config.steps)
                                  : linear_betas(config.steps, config.linear_start.value_or(0.1 / steps),
                                                 config.linear_end.value_or(20.0 / steps));
  return config.log_snr_shift == 0.0 ? betas : shifted_betas(betas, config.log_snr_shift);
}

double round_to(TablePrecision precision, double x) {
  return precision == TablePrecision::float32 ? static_cast<double>(static_cast<float>(x)) : x;
}

std::vector<double> round_to(TablePrecision precision, std::vector<double> values) {
  for (double& value : values) value = round_to(precision, value);
  return values;
}

/// The running product is a double in float32 tables too, as in PyTorch's cumprod.
std::vector<double> cumulative_alphas(const std::vector<double>& betas,
                                      TablePrecision tables = TablePrecision::float64) {
  std::vector<double> alpha_bars(betas.size());
  double product = 1.0;
  std::ranges::transform(betas, alpha_bars.begin(),
                         [&](double beta) { return product *= round_to(tables, 1.0 - beta); });
  return round_to(tables, std::move(alpha_bars));
}

}  // namespace

void ScheduleConfig::validate() const {
  check(steps >= 2 && steps <= 100'000, ErrorKind::config, "the noise schedule has ", steps,
        " steps, expected 2 to 100000");
  check(std::isfinite(log_snr_shift) && std::abs(log_snr_shift) <= 20.0, ErrorKind::config,
        "log_snr_shift is ", log_snr_shift, ", expected a number between -20 and 20");
  const bool is_linear = kind == ScheduleKind::linear;
  check(is_linear || (!linear_start && !linear_end), ErrorKind::config,
        "linear_start and linear_end belong to a linear schedule, but the kind is ", enum_name(kind));
  const double start = linear_start.value_or(0.1 / static_cast<double>(steps));
  const double end = linear_end.value_or(20.0 / static_cast<double>(steps));
  check(!is_linear || (start > 0.0 && start <= end && end < 1.0), ErrorKind::config,
        "the linear schedule of ", steps, " steps runs from beta ", start, " to ", end,
        ", expected 0 < start <= end < 1; set linear_start and linear_end");
}

std::vector<double> cosine_betas(int64_t steps) {
  const auto f = [steps](int64_t t) {
    const double u = static_cast<double>(t) / static_cast<double>(steps);
    return std::pow(std::cos((u + 0.008) / 1.008 * std::numbers::pi / 2), 2);
  };
  std::vector<double> betas;
  for (int64_t t = 0; t < steps; ++t) betas.push_back(std::min(1.0 - f(t + 1) / f(t), kMaxBeta));
  return betas;
}

std::vector<double> linear_betas(int64_t steps, double start, double end) {
  std::vector<double> betas;
  for (int64_t t = 0; t < steps; ++t) {
    betas.push_back(start + (end - start) * static_cast<double>(t) / static_cast<double>(steps - 1));
  }
  return betas;
}

std::vector<double> shifted_betas(const std::vector<double>& betas, double shift) {
  std::vector<double> shifted;
  double previous = 1.0;
  for (const double alpha_bar : cumulative_alphas(betas)) {
    const double odds = alpha_bar / (1.0 - alpha_bar) * std::exp(shift);
    const double next = odds / (1.0 + odds);
    shifted.push_back(std::min(1.0 - next / previous, kMaxBeta));
    previous = next;
  }
  return shifted;
}

NoiseSchedule::NoiseSchedule(const ScheduleConfig& config)
    : NoiseSchedule((config.validate(), betas_of(config)), config.tables) {}

NoiseSchedule::NoiseSchedule(std::vector<double> betas, TablePrecision tables)
    : tables_(tables),
      betas_(round_to(tables, std::move(betas))),
      alpha_bars_(cumulative_alphas(betas_, tables)) {
  check(!betas_.empty(), ErrorKind::config, "a noise schedule has no timesteps, expected at least one");
  for (const double beta : betas_) {
    check(beta > 0.0 && beta < 1.0, ErrorKind::config, "a noise schedule has beta ", beta,
          ", expected values between 0 and 1");
  }
}

double NoiseSchedule::alpha_bar(int64_t t) const {
  check(t >= -1 && t < steps(), ErrorKind::config, "timestep ", t,
        " lies outside the schedule, expected -1 to ", steps() - 1);
  return t < 0 ? 1.0 : alpha_bars_[static_cast<size_t>(t)];
}

double NoiseSchedule::signal(int64_t t) const { return std::sqrt(alpha_bar(t)); }

double NoiseSchedule::rounded(double x) const { return round_to(tables_, x); }

double NoiseSchedule::one_minus_alpha_bar(int64_t t) const { return rounded(1.0 - alpha_bar(t)); }

double NoiseSchedule::noise(int64_t t) const { return std::sqrt(one_minus_alpha_bar(t)); }

double NoiseSchedule::lambda(int64_t t) const {
  const double a = alpha_bar(t);
  return 0.5 * (std::log(a) - std::log1p(-a));
}

Posterior NoiseSchedule::posterior(const Step& step) const {
  check(step.t_prev < step.t, ErrorKind::config, "a sampling step leads from timestep ", step.t, " to ",
        step.t_prev, ", expected a smaller one");
  const double a = alpha_bar(step.t), a_prev = alpha_bar(step.t_prev);
  const bool is_own_step = step.t_prev == step.t - 1;
  const double beta = is_own_step ? betas_[static_cast<size_t>(step.t)] : rounded(1.0 - rounded(a / a_prev));
  const double noise = one_minus_alpha_bar(step.t), noise_prev = one_minus_alpha_bar(step.t_prev);
  return {.x_0_scale = std::sqrt(a_prev) * beta / noise,
          .x_t_scale = std::sqrt(rounded(1.0 - beta)) * noise_prev / noise,
          .variance = beta * noise_prev / noise,
          .beta = beta};
}

std::vector<double> NoiseSchedule::posterior_variances() const {
  std::vector<double> variances;
  for (int64_t t = 0; t < steps(); ++t) variances.push_back(posterior({t, t - 1}).variance);
  return variances;
}

std::vector<double> NoiseSchedule::log_variances_small() const {
  std::vector<double> logs;
  for (const double variance : posterior_variances()) logs.push_back(std::log(variance));
  logs.front() = logs.size() > 1 ? logs[1] : std::log(betas_.front());  // β̃_0 is 0
  return logs;
}

NoiseSchedule NoiseSchedule::respaced(std::span<const int64_t> timesteps) const {
  std::vector<double> betas;
  int64_t t_prev = -1;
  for (const int64_t t : timesteps) {
    betas.push_back(posterior({t, t_prev}).beta);
    t_prev = t;
  }
  return NoiseSchedule(std::move(betas), tables_);
}

}  // namespace unclip::diffusion
