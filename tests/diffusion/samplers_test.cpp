// Every sampler on data whose best denoiser is known in closed form.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "diffusion/closed_form.h"
#include "support/close.h"
#include "support/error_of.h"
#include "unclip/base/error.h"
#include "unclip/base/progress.h"
#include "unclip/diffusion/sampler.h"
#include "unclip/diffusion/timesteps.h"

namespace unclip::diffusion {
namespace {

struct Moments {
  double mean, std;
};

/// Mean and standard deviation of a sampler's result, exactly: with a Gaussian denoiser the result is affine
/// in x_T and in every noise, so that unit impulses (row k: only draw k is 1, row 0: none) show all its
/// weights.
template <class Run>
Moments moments_of(int64_t draws, const Run& run) {
  SamplingHooks hooks;
  const auto impulse = [draws](int64_t draw) {
    Tensor x = torch::zeros({draws + 1, 2}, kDouble);
    x[draw + 1].fill_(1.0);
    return x;
  };
  hooks.noise = [impulse](const Tensor&, int64_t index) { return impulse(index + 1); };
  const Tensor result = run(impulse(0), hooks);
  const Tensor weights = result.slice(0, 1) - result[0];
  EXPECT_CLOSE(result.select(1, 0), result.select(1, 1));
  return {result[0][0].item<double>(), weights.square().sum(0)[0].sqrt().item<double>()};
}

Moments moments_of(const SamplerConfig& config,
                   const GaussianData& data,
                   const NoiseSchedule& schedule,
                   Parameterization kind = Parameterization::epsilon) {
  const auto steps = static_cast<int64_t>(trajectory(config, schedule).steps.size());
  return moments_of(steps + 1, [&](const Tensor& x_T, const SamplingHooks& hooks) {
    return sample(config, schedule, best_denoiser(data, schedule, kind), x_T,
                  {hooks, data.x_0_mse(schedule)});
  });
}

constexpr std::array kSchedules{ScheduleKind::cosine, ScheduleKind::linear};
constexpr std::array kDeviations{0.1, 0.5375, 1.0, 3.0};

struct SamplerCase {
  SamplerConfig config;
  double tolerance;  // of the standard deviation, relative
};

TEST(GaussianData, ComesOutOfEverySamplerAndParameterization) {
  const std::vector<SamplerCase> cases{
      {{.kind = Sampler::ddpm, .timesteps = "1000"}, 0.02},
      {{.kind = Sampler::ddpm, .timesteps = "1000", .variance = DdpmVariance::fixed_large}, 0.02},
      {{.kind = Sampler::ddpm, .timesteps = "250"}, 0.06},
      {{.kind = Sampler::analytic_dpm, .timesteps = "64", .data_variance = 10.0}, 6e-3},
      {{.kind = Sampler::analytic_dpm, .timesteps = "10", .data_variance = 10.0}, 6e-3},
      {{.kind = Sampler::ddim, .timesteps = "250"}, 0.04},
      {{.kind = Sampler::ddim, .timesteps = "1000", .eta = 0.5}, 0.02},
      {{.kind = Sampler::dpm_solver, .timesteps = "logsnr25"}, 0.015},
      {{.kind = Sampler::dpm_solver, .timesteps = "trailing250"}, 0.02},
      {{.kind = Sampler::unipc, .timesteps = "logsnr25"}, 0.015},
      {{.kind = Sampler::unipc, .timesteps = "logsnr25", .order = 3, .variant = UniPcVariant::bh1}, 0.015}};
  for (const auto kind : kSchedules) {
    const NoiseSchedule schedule = schedule_of(kind);
    for (const SamplerCase& test_case : cases) {
      for (const double std : kDeviations) {
        const GaussianData data{.mean = 0.3, .std = std};
        const auto [mean, deviation] = moments_of(test_case.config, data, schedule);
        EXPECT_NEAR(mean, data.mean, 0.02 * std::max(1.0, std))
            << enum_name(kind) << config_to_json(test_case.config) << std;
        const double narrow = std < 0.2 ? 2.0 : 1.0;  // narrow data is decided in few steps, at little noise
        EXPECT_NEAR(deviation / std, 1.0, narrow * test_case.tolerance)
            << enum_name(kind) << config_to_json(test_case.config) << std;
      }
    }
  }
  for (const auto kind :
       {Sampler::ddpm, Sampler::analytic_dpm, Sampler::ddim, Sampler::dpm_solver, Sampler::unipc}) {
    const NoiseSchedule schedule = schedule_of(ScheduleKind::cosine);
    const SamplerConfig config{.kind = kind, .timesteps = "20"};
    const auto by_eps = moments_of(config, {}, schedule, Parameterization::epsilon);
    for (const auto other : {Parameterization::x_0, Parameterization::v}) {
      const auto moments = moments_of(config, {}, schedule, other);
      EXPECT_NEAR(moments.mean, by_eps.mean, 1e-8);
      EXPECT_NEAR(moments.std, by_eps.std, 1e-8);
    }
  }
}

// Drawn in float32 with the project's own noise, as pictures are.
TEST(GaussianData, IsSampledFromSeeds) {
  const NoiseSchedule schedule = schedule_of(ScheduleKind::cosine);
  const GaussianData data;
  const NoiseSource noise = picture_noise({1, 2, 3, 4}, "samplers_test");
  const Tensor x_T = noise(torch::empty({4, 20000}), kInitialNoise);
  for (const auto kind :
       {Sampler::ddpm, Sampler::analytic_dpm, Sampler::ddim, Sampler::dpm_solver, Sampler::unipc}) {
    const SamplerConfig config{.kind = kind, .timesteps = "20"};
    const Tensor x = sample(config, schedule, best_denoiser(data, schedule, Parameterization::epsilon), x_T,
                            {{noise, {}}, data.x_0_mse(schedule)});
    EXPECT_EQ(x.scalar_type(), torch::kFloat32);
    const auto expected = moments_of(config, data, schedule);
    EXPECT_NEAR(x.mean().item<double>(), expected.mean, 8e-3) << enum_name(kind);
    EXPECT_NEAR(x.std().item<double>(), expected.std, 6e-3) << enum_name(kind);
  }
}

// The optimal reverse variance is exact for Gaussian data at any stride and eta (Bao et al. 2022, Theorem 1).
TEST(AnalyticDpm, IsExactForGaussianDataInAFewSteps) {
  for (const auto kind : kSchedules) {
    const NoiseSchedule schedule = schedule_of(kind);
    for (const double eta : {0.0, 0.5, 1.0}) {
      const GaussianData data{.mean = -0.2, .std = 0.5375};
      const Trajectory path{schedule, sampling_steps(parse_timesteps("5", schedule, 1000))};
      const auto [mean, std] = moments_of(6, [&](const Tensor& x_T, const SamplingHooks& hooks) {
        return sample_analytic_dpm(best_denoiser(data, schedule, Parameterization::x_0), x_T, path,
                                   {data.x_0_mse(schedule), 1.0, eta}, hooks);
      });
      const double lost = data.conditional_variance(schedule.alpha_bar(0));  // the last step draws no noise
      EXPECT_NEAR(std * std + lost, data.std * data.std, 1e-5) << enum_name(kind) << eta;
      EXPECT_NEAR(mean, data.mean, 2e-3) << enum_name(kind) << eta;
    }
  }
}

TEST(AnalyticDpm, CapsTheErrorByTheDataVariance) {
  const NoiseSchedule schedule = schedule_of(ScheduleKind::cosine);
  const GaussianData data;
  const Trajectory path{schedule, sampling_steps(parse_timesteps("8", schedule, 1000))};
  const auto std_of = [&](std::vector<double> x_0_mse, double data_variance) {
    return moments_of(9,
                      [&](const Tensor& x_T, const SamplingHooks& hooks) {
                        return sample_analytic_dpm(best_denoiser(data, schedule, Parameterization::x_0), x_T,
                                                   path, {x_0_mse, data_variance}, hooks);
                      })
        .std;
  };
  const std::vector<double> huge(1000, 1e6), quarter(1000, 0.25), none(1000, -1.0), zero(1000, 0.0);
  EXPECT_NEAR(std_of(huge, 0.25), std_of(quarter, 10.0), 1e-12);
  EXPECT_NEAR(std_of(none, 0.25), std_of(zero, 0.25), 1e-12);
  EXPECT_THROW(std_of({0.1}, 1.0), Error);
}

TEST(AnalyticDpm, TablesComeFromGammaOrAFewTimesteps) {
  for (const auto kind : kSchedules) {
    const NoiseSchedule schedule = schedule_of(kind);
    const GaussianData data;
    const auto exact = data.x_0_mse(schedule);
    std::vector<double> gamma, measured;
    for (const double a : schedule.alpha_bars()) gamma.push_back((1 - a) / (0.25 * a + 1 - a));  // E ε̂²
    const auto from_gamma = x_0_mse_from_gamma(schedule, gamma);
    const std::vector<int64_t> timesteps{5, 60, 150, 250, 350, 450, 550, 650, 750, 850, 950};
    for (const int64_t t : timesteps) measured.push_back(exact[static_cast<size_t>(t)]);
    const auto interpolated = interpolate_x_0_mse(schedule, timesteps, measured);
    ASSERT_EQ(interpolated.size(), 1000U);
    for (size_t t = 0; t < 1000; ++t) {
      EXPECT_NEAR(from_gamma[t], exact[t], 1e-6 * exact[t] + 1e-9) << t;
      const bool between = t >= 5 && t <= 950;
      EXPECT_NEAR(interpolated[t], exact[t], (between ? 1e-9 : 0.06) * exact[t]) << t;
    }
    EXPECT_NEAR(interpolated[350], exact[350], 1e-12);
  }
  const NoiseSchedule schedule = schedule_of(ScheduleKind::cosine);
  EXPECT_THROW(interpolate_x_0_mse(schedule, std::vector<int64_t>{1, 2}, std::vector<double>{1.0}), Error);
  EXPECT_THROW(x_0_mse_from_gamma(schedule, std::vector<double>{1.0}), Error);
}

// β is the optimal variance for N(0, 1), β̃ for a single point (Ho et al. 2020, §3.2): both exact at any
// stride.
TEST(Ddpm, FixedVariancesAreExactAtTheirExtremes) {
  const NoiseSchedule schedule = schedule_of(ScheduleKind::cosine);
  const SamplerConfig large{.timesteps = "10", .variance = DdpmVariance::fixed_large};
  const double lost = 1 - schedule.alpha_bar(0);
  EXPECT_NEAR(std::pow(moments_of(large, {.mean = 0.0, .std = 1.0}, schedule).std, 2) + lost, 1.0, 1e-7);
  const Trajectory path = trajectory({.timesteps = "10"}, schedule);
  const Denoiser point = [](const Tensor& x_t, int64_t) {
    return Prediction{torch::full_like(x_t, 0.7), {}};
  };
  const auto check_marginal = [&](const StepReport& report) {
    if (report.step.t_prev < 0) return;
    const Tensor weights = report.x.slice(0, 1) - report.x[0];
    EXPECT_NEAR(weights.square().sum(0)[0].item<double>(), 1 - schedule.alpha_bar(report.step.t_prev), 1e-8);
  };
  const auto [mean, std] = moments_of(11, [&](const Tensor& x_T, SamplingHooks hooks) {
    hooks.observer = check_marginal;
    return sample_ddpm(point, x_T, path, {DdpmVariance::fixed_small}, hooks);
  });
  EXPECT_NEAR(mean, 0.7, 1e-12);
  EXPECT_NEAR(std, 0.0, 1e-12);
}

TEST(Ddpm, LearnedRangeReachesBothEndsAndTheOptimum) {
  const NoiseSchedule schedule = schedule_of(ScheduleKind::cosine);
  const GaussianData data;
  const Trajectory path = trajectory({.timesteps = "10"}, schedule);
  const Denoiser best = best_denoiser(data, schedule, Parameterization::x_0);
  const auto std_of = [&](DdpmVariance variance, const std::function<double(const Step&)>& fraction) {
    return moments_of(11,
                      [&](const Tensor& x_T, const SamplingHooks& hooks) {
                        const Denoiser denoise = [&](const Tensor& x_t, int64_t t) {
                          const auto step = std::ranges::find(path.steps, t, &Step::t);
                          return Prediction{best(x_t, t).x_0, torch::full_like(x_t, fraction(*step))};
                        };
                        return sample_ddpm(denoise, x_T, path, {variance}, hooks);
                      })
        .std;
  };
  const auto constant = [](double f) { return [f](const Step&) { return f; }; };
  EXPECT_NEAR(std_of(DdpmVariance::learned_range, constant(0.0)),
              std_of(DdpmVariance::fixed_small, constant(0.0)), 1e-12);
  EXPECT_NEAR(std_of(DdpmVariance::learned_range, constant(1.0)),
              std_of(DdpmVariance::fixed_large, constant(0.0)), 1e-12);
  EXPECT_GT(std_of(DdpmVariance::learned_range, constant(1.0)),
            std_of(DdpmVariance::learned_range, constant(0.0)) + 0.05);
  const auto optimal = [&](const Step& step) {
    const Posterior q = schedule.posterior(step);
    const double variance =
        q.variance + q.x_0_scale * q.x_0_scale * data.conditional_variance(schedule.alpha_bar(step.t));
    return std::log(variance / q.variance) / std::log(q.beta / q.variance);
  };
  const double std = std_of(DdpmVariance::learned_range, optimal);
  EXPECT_NEAR(std * std + data.conditional_variance(schedule.alpha_bar(0)), 0.25, 1e-6);
}

TEST(Ddim, EtaOneIsDdpmOnTheRespacedChain) {
  const NoiseSchedule schedule = schedule_of(ScheduleKind::cosine);
  const auto timesteps = parse_timesteps("27", schedule, 1000);
  const NoiseSchedule respaced = schedule.respaced(timesteps);
  const Denoiser strided = best_denoiser({}, schedule, Parameterization::epsilon);
  const Denoiser of_respaced = [&](const Tensor& x_t, int64_t i) {
    return strided(x_t, timesteps[static_cast<size_t>(i)]);
  };
  const Tensor x_T = normal_noise({1, 2, 3}, {4, 8}).to(kDouble);
  const SamplingHooks hooks{picture_noise({1, 2, 3, 4}, "test"), {}};
  const Tensor ddim = sample_ddim(strided, x_T, {schedule, sampling_steps(timesteps)}, {1.0}, hooks);
  const Tensor ddpm = sample_ddpm(of_respaced, x_T,
                                  {respaced, sampling_steps(parse_timesteps("27", respaced, 27))}, {}, hooks);
  EXPECT_CLOSE(ddim, ddpm, {1e-9, 0});
  EXPECT_FALSE(
      torch::allclose(ddim, sample_ddim(strided, x_T, {schedule, sampling_steps(timesteps)}, {0.5}, hooks)));
}

TEST(DdimInversion, ReturnsTheInput) {
  const NoiseSchedule schedule = schedule_of(ScheduleKind::cosine);
  const Denoiser denoise = mixture_denoiser(schedule);
  const Tensor side = torch::where(uniform_noise({1, 1, 1}, {8, 64}) < 0.5, -1.0, 1.0);
  const Tensor x_0 = (side + 0.25 * normal_noise({1, 1, 2}, {8, 64})).to(torch::kFloat32);
  double error_before = 1.0;
  for (const char* steps : {"50", "250", "1000"}) {
    const Trajectory path{schedule, sampling_steps(parse_timesteps(steps, schedule, 1000))};
    const Tensor x_T = invert_ddim(denoise, x_0, path, {});
    const double error = (sample_ddim(denoise, x_T, path, {}, {}) - x_0).abs().max().item<double>();
    EXPECT_LT(error, 0.6 * error_before) << steps;
    error_before = error;
    EXPECT_NEAR(x_T.mean().item<double>(), 0.0, 0.15);
    EXPECT_NEAR(x_T.std().item<double>(), 1.0, 0.1);
  }
  EXPECT_LT(error_before, 0.02);
}

TEST(Samplers, StayAccurateInFloat32) {
  const NoiseSchedule schedule = schedule_of(ScheduleKind::cosine);
  const Denoiser denoise = mixture_denoiser(schedule);
  const Tensor x_T = normal_noise({5, 5, 5}, {4, 256});
  for (const auto kind : {Sampler::ddpm, Sampler::ddim, Sampler::dpm_solver, Sampler::unipc}) {
    const SamplerConfig config{.kind = kind, .timesteps = kind == Sampler::unipc ? "250" : "900"};
    const SamplingInputs inputs{{picture_noise({1, 2, 3, 4}, "drift"), {}}, {}};
    const Tensor single = sample(config, schedule, denoise, x_T, inputs);
    const Tensor twice = sample(config, schedule, denoise, x_T.to(kDouble), inputs);
    EXPECT_EQ(single.scalar_type(), torch::kFloat32);
    EXPECT_CLOSE(single, twice, {5e-4, 0}) << enum_name(kind);
  }
}

TEST(Samplers, GiveAPictureTheSameResultInAnyBatch) {
  const NoiseSchedule schedule = schedule_of(ScheduleKind::cosine);
  const Denoiser denoise = mixture_denoiser(schedule);
  const auto run = [&](const std::vector<uint64_t>& seeds, Sampler kind) {
    const NoiseSource noise = picture_noise(seeds, "batch");
    const Tensor x_T = noise(torch::empty({static_cast<int64_t>(seeds.size()), 3, 5, 5}), kInitialNoise);
    return sample({.kind = kind, .timesteps = "12"}, schedule, denoise, x_T,
                  {{noise, {}}, GaussianData{}.x_0_mse(schedule)});
  };
  for (const auto kind :
       {Sampler::ddpm, Sampler::analytic_dpm, Sampler::ddim, Sampler::dpm_solver, Sampler::unipc}) {
    EXPECT_CLOSE(run({7, 8, 9}, kind)[1], run({8}, kind)[0], {1e-5, 0}) << enum_name(kind);
  }
  EXPECT_FALSE(torch::allclose(run({7, 8}, Sampler::ddim)[0], run({7, 8}, Sampler::ddim)[1]));
}

TEST(Samplers, AskTheNetworkOncePerStepAndReportEachStep) {
  const NoiseSchedule schedule = schedule_of(ScheduleKind::cosine);
  for (const auto kind :
       {Sampler::ddpm, Sampler::analytic_dpm, Sampler::ddim, Sampler::dpm_solver, Sampler::unipc}) {
    std::vector<int64_t> asked, reported;
    const Denoiser counted = [&, denoise = mixture_denoiser(schedule)](const Tensor& x_t, int64_t t) {
      asked.push_back(t);
      return denoise(x_t, t);
    };
    const auto observer = [&](const StepReport& report) {
      EXPECT_EQ(report.index, static_cast<int64_t>(reported.size()));
      EXPECT_EQ(report.count, 9);
      EXPECT_EQ(report.x_0.sizes(), report.x.sizes());
      reported.push_back(report.step.t);
    };
    const SamplerConfig config{.kind = kind, .timesteps = "9"};
    sample(config, schedule, counted, torch::zeros({1, 4}),
           {{picture_noise({1}, "x"), observer}, GaussianData{}.x_0_mse(schedule)});
    EXPECT_EQ(asked, reported) << enum_name(kind);
    EXPECT_EQ(asked.size(), 9U);
    EXPECT_EQ(asked.front(), kind == Sampler::dpm_solver || kind == Sampler::unipc ? 995 : 999);
  }
}

TEST(Samplers, RefuseWhatTheyCannotDo) {
  const NoiseSchedule schedule = schedule_of(ScheduleKind::cosine);
  const Denoiser denoise = mixture_denoiser(schedule);
  const Tensor x_T = torch::zeros({1, 4});
  const SamplingInputs seeded{{picture_noise({1}, "x"), {}}, {}};
  EXPECT_THROW(sample({.timesteps = "5"}, schedule, denoise, x_T, {}), Error);  // no noise source
  EXPECT_THROW(
      sample({.timesteps = "5", .variance = DdpmVariance::learned_range}, schedule, denoise, x_T, seeded),
      Error);
  EXPECT_THROW(sample({.kind = Sampler::analytic_dpm}, schedule, denoise, x_T, seeded), Error);
  EXPECT_THROW(sample({.kind = Sampler::ddim, .eta = 1.5}, schedule, denoise, x_T, seeded), Error);
  EXPECT_THROW(sample({.kind = Sampler::unipc, .order = 4}, schedule, denoise, x_T, seeded), Error);
  EXPECT_THROW(sample({.timesteps = "2000"}, schedule, denoise, x_T, seeded), Error);
  EXPECT_THROW(sample_ddim(denoise, x_T, {schedule, {}}, {}, {}), Error);
  const auto config =
      config_from_json<SamplerConfig>(R"({"kind": "unipc", "variant": "bh1", "order": 3})", "x");
  EXPECT_EQ(config.kind, Sampler::unipc);
  EXPECT_EQ(config.variant, UniPcVariant::bh1);
}

TEST(Samplers, StopBetweenStepsWhenTheirOwnTokenSaysSo) {
  const NoiseSchedule schedule = schedule_of(ScheduleKind::cosine);
  const StopSource ours, another;
  int64_t steps = 0;
  const SamplingHooks hooks{.observer =
                                [&](const StepReport& report) {
                                  ++steps;
                                  if (report.index == 1) another.request_stop();
                                  if (report.index == 2) ours.request_stop();
                                },
                            .stop = ours.token()};
  EXPECT_THAT(testing::error_of(ErrorKind::interrupted,
                                [&] {
                                  sample_ddim(mixture_denoiser(schedule), torch::zeros({1, 4}),
                                              trajectory({.timesteps = "9"}, schedule), {}, hooks);
                                }),
              ::testing::HasSubstr("stopped by request"));
  EXPECT_EQ(steps, 3);
}

}  // namespace
}  // namespace unclip::diffusion
