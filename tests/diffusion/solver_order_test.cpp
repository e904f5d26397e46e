// Errors of the ODE solvers against the exact flow of Gaussian data.
#include <gtest/gtest.h>

#include "diffusion/closed_form.h"
#include "unclip/diffusion/sampler.h"
#include "unclip/diffusion/timesteps.h"

namespace unclip::diffusion {
namespace {

/// Timesteps of a very fine chain at nearly even λ from `first` to `last`: solvers see smooth steps.
std::vector<Step> even_lambda_steps(const NoiseSchedule& schedule, double first, double last, int64_t count) {
  std::vector<int64_t> timesteps;
  int64_t t = 0;
  for (int64_t i = count; i >= 0; --i) {
    const double lambda = first + (last - first) * static_cast<double>(i) / static_cast<double>(count);
    while (schedule.lambda(t) > lambda) ++t;
    timesteps.push_back(t);
  }
  auto steps = sampling_steps(timesteps);
  steps.pop_back();  // not to x_0: the exact solution is known everywhere
  return steps;
}

/// Largest error of the state half way (in λ) along `count` steps of the Gaussian ODE.
template <class Run>
double error_half_way(const Run& run, int64_t count) {
  static const NoiseSchedule schedule = [] {
    ScheduleConfig config;
    config.steps = 100'000;
    return NoiseSchedule(config);
  }();
  const GaussianData data{.mean = 0.4, .std = 0.6};
  const Trajectory path{schedule, even_lambda_steps(schedule, -3.0, 5.0, count)};
  const Tensor z = torch::linspace(-2, 2, 9, kDouble).view({1, 9});
  double error = 0.0;
  const SamplingHooks hooks{{}, [&](const StepReport& report) {
                              if (report.index + 1 != count / 2) return;
                              const double a = schedule.alpha_bar(report.step.t_prev);
                              error = (report.x - data.quantile(z, a)).abs().max().item<double>();
                            }};
  const Tensor x_T = data.quantile(z, schedule.alpha_bar(path.steps.front().t));
  run(best_denoiser(data, schedule, Parameterization::x_0), x_T, path, hooks);
  return error;
}

TEST(Convergence, ErrorsFallWithTheOrderOfTheSolver) {
  struct Solver {
    const char* name;
    std::function<void(const Denoiser&, const Tensor&, const Trajectory&, const SamplingHooks&)> run;
    double order;
  };
  const auto unipc = [](int64_t order, UniPcVariant variant) {
    return [=](const Denoiser& d, const Tensor& x, const Trajectory& p, const SamplingHooks& h) {
      sample_unipc(d, x, p, {order, variant}, h);
    };
  };
  const std::vector<Solver> solvers{
      {"ddim", [](auto& d, auto& x, auto& p, auto& h) { sample_ddim(d, x, p, {}, h); }, 1},
      {"dpm_solver", [](auto& d, auto& x, auto& p, auto& h) { sample_dpm_solver(d, x, p, h); }, 2},
      {"unipc 1 bh2", unipc(1, UniPcVariant::bh2), 2},
      {"unipc 2 bh2", unipc(2, UniPcVariant::bh2), 3},
      {"unipc 2 bh1", unipc(2, UniPcVariant::bh1), 3},
      {"unipc 3 bh2", unipc(3, UniPcVariant::bh2), 4}};
  for (const Solver& solver : solvers) {
    const double coarse = error_half_way(solver.run, 128), fine = error_half_way(solver.run, 256);
    const double order = std::log2(coarse / fine);
    EXPECT_GT(order, solver.order - 0.35) << solver.name << " " << coarse << " " << fine;
    EXPECT_LT(order, solver.order + 0.5) << solver.name << " " << coarse << " " << fine;
  }
}

}  // namespace
}  // namespace unclip::diffusion
