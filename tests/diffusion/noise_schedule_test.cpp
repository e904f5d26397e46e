#include "unclip/diffusion/noise_schedule.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "diffusion/fixture.h"
#include "unclip/base/error.h"
#include "unclip/diffusion/timesteps.h"

namespace unclip::diffusion {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using unclip::testing::diffusion_fixture;
using unclip::testing::to_doubles;

ScheduleConfig of_kind(ScheduleKind kind) {
  ScheduleConfig config;
  config.kind = kind;
  return config;
}

std::vector<int64_t> timesteps(const std::string& spacing) {
  return parse_timesteps(spacing, NoiseSchedule(ScheduleConfig{}), 1000);
}

TEST(NoiseSchedule, MatchesFiftyDigitTables) {
  const auto fixture = diffusion_fixture("schedules");
  for (const auto kind : {ScheduleKind::cosine, ScheduleKind::linear}) {
    const NoiseSchedule schedule(of_kind(kind));
    const auto betas = to_doubles(fixture.tensor(enum_name(kind) + ".betas"));
    const auto alpha_bars = to_doubles(fixture.tensor(enum_name(kind) + ".alphas_cumprod"));
    ASSERT_EQ(schedule.steps(), 1000);
    for (size_t t = 0; t < 1000; ++t) {
      EXPECT_NEAR(schedule.betas()[t] / betas[t], 1.0, 1e-10) << t;
      EXPECT_NEAR(schedule.alpha_bars()[t] / alpha_bars[t], 1.0, 1e-10) << t;
    }
  }
}

TEST(NoiseSchedule, Float32TablesAreThoseOfDiffusers) {
  const auto fixture = diffusion_fixture("schedules");
  const NoiseSchedule schedule(ScheduleConfig{.tables = TablePrecision::float32});
  EXPECT_EQ(schedule.betas(), to_doubles(fixture.tensor("unclip.betas")));
  EXPECT_EQ(schedule.alpha_bars(), to_doubles(fixture.tensor("unclip.alphas_cumprod")));
  const torch::Tensor steps = fixture.tensor("unclip.steps");
  const auto coefficients = to_doubles(fixture.tensor("unclip.coefficients"));
  for (int64_t i = 0; i < steps.size(0); ++i) {
    const Step step{steps[i][0].item<int64_t>(), steps[i][1].item<int64_t>()};
    const Posterior posterior = schedule.posterior(step);
    const double* expected = &coefficients[static_cast<size_t>(3 * i)];
    EXPECT_NEAR(posterior.x_0_scale, expected[0], 1e-6) << step.t;
    EXPECT_NEAR(posterior.x_t_scale, expected[1], 1e-6) << step.t;
    EXPECT_NEAR(std::sqrt(posterior.variance), expected[2], 1e-6) << step.t;
  }
  // In double, the last step's mean is x_0; in these tables it is not quite.
  EXPECT_NEAR(NoiseSchedule(ScheduleConfig{}).posterior({0, -1}).x_0_scale, 1.0, 1e-12);
  EXPECT_GT(std::abs(schedule.posterior({0, -1}).x_0_scale - 1.0), 1e-5);
}

TEST(NoiseSchedule, HasThePublishedValues) {
  const NoiseSchedule cosine(of_kind(ScheduleKind::cosine)), linear(of_kind(ScheduleKind::linear));
  EXPECT_NEAR(cosine.betas()[0], 4.1284e-5, 1e-9);
  EXPECT_NEAR(cosine.betas()[998], 0.75, 1e-4);
  EXPECT_EQ(cosine.betas()[999], 0.999);
  EXPECT_NEAR(cosine.alpha_bar(499), 0.49384, 1e-5);
  EXPECT_NEAR(cosine.alpha_bar(999), 2.4288e-9, 1e-13);
  EXPECT_NEAR(linear.alpha_bar(0), 0.9999, 1e-12);
  EXPECT_NEAR(linear.alpha_bar(499), 0.078587, 1e-6);
  EXPECT_NEAR(linear.alpha_bar(999), 4.0358e-5, 1e-9);
  EXPECT_EQ(linear.alpha_bar(-1), 1.0);
  EXPECT_EQ(linear.lambda(-1), std::numeric_limits<double>::infinity());
  EXPECT_NEAR(linear.lambda(999), std::log(linear.signal(999) / linear.noise(999)), 1e-12);
}

TEST(NoiseSchedule, ShiftMovesTheLogSnr) {
  ScheduleConfig config;
  config.log_snr_shift = 2.0 * std::log(64.0 / 256.0);
  const NoiseSchedule shifted(config), plain((ScheduleConfig()));
  for (const int64_t t : {0, 1, 250, 500, 998}) {
    EXPECT_NEAR(2 * shifted.lambda(t), 2 * plain.lambda(t) + config.log_snr_shift, 1e-8) << t;
  }
}

// The product of two Gaussians in x_{t_prev}: prior N(√ᾱ_p x_0, 1 − ᾱ_p), likelihood x_t = √α x_{t_prev} + √β
// n.
TEST(NoiseSchedule, PosteriorIsBayesRule) {
  const NoiseSchedule schedule((ScheduleConfig()));
  for (const Step step : {Step{500, 499}, Step{800, 13}, Step{1, 0}}) {
    const double a = schedule.alpha_bar(step.t), a_prev = schedule.alpha_bar(step.t_prev), alpha = a / a_prev;
    const double precision = 1 / (1 - a_prev) + alpha / (1 - alpha);
    const Posterior posterior = schedule.posterior(step);
    EXPECT_NEAR(posterior.variance, 1 / precision, 1e-10);
    EXPECT_NEAR(posterior.x_0_scale, std::sqrt(a_prev) / (1 - a_prev) / precision, 1e-10);
    EXPECT_NEAR(posterior.x_t_scale, std::sqrt(alpha) / (1 - alpha) / precision, 1e-10);
    EXPECT_NEAR(posterior.beta, 1 - alpha, 1e-12);
  }
  const Posterior last = schedule.posterior({40, -1});
  EXPECT_NEAR(last.x_0_scale, 1.0, 1e-12);
  EXPECT_EQ(last.x_t_scale, 0.0);
  EXPECT_EQ(last.variance, 0.0);
}

TEST(NoiseSchedule, RespacedChainKeepsAlphaBar) {
  const NoiseSchedule schedule((ScheduleConfig()));
  const auto chosen = timesteps("64");
  const NoiseSchedule respaced = schedule.respaced(chosen);
  ASSERT_EQ(respaced.steps(), 64);
  for (int64_t i = 0; i < 64; ++i) {
    const int64_t t = chosen[static_cast<size_t>(i)];
    EXPECT_NEAR(respaced.alpha_bar(i) / schedule.alpha_bar(t), 1.0, 1e-9);
    const Step stride{t, i > 0 ? chosen[static_cast<size_t>(i - 1)] : -1};
    EXPECT_NEAR(respaced.posterior({i, i - 1}).variance, schedule.posterior(stride).variance, 1e-12);
  }
}

std::string error_of(const ScheduleConfig& config) {
  try {
    config.validate();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::config);
    return error.what();
  }
  return "no error";
}

TEST(NoiseSchedule, RefusesWhatIsNoSchedule) {
  ScheduleConfig config;
  config.steps = 1;
  EXPECT_THAT(error_of(config), HasSubstr("1 steps"));
  config = of_kind(ScheduleKind::linear);
  config.steps = 10;  // the default end would be beta 2
  EXPECT_THAT(error_of(config), HasSubstr("to 2, expected 0 < start <= end < 1"));
  config.linear_end = 0.5;
  EXPECT_EQ(error_of(config), "no error");
  config.kind = ScheduleKind::cosine;
  EXPECT_THAT(error_of(config), HasSubstr("linear_end"));
  EXPECT_THROW(NoiseSchedule(std::vector<double>{0.1, 1.0}), Error);
  const NoiseSchedule schedule((ScheduleConfig()));
  EXPECT_THROW(schedule.alpha_bar(1000), Error);
  EXPECT_THROW(schedule.posterior({5, 5}), Error);
}

TEST(Timesteps, SectionsAreOpenAIs) {
  const auto of_64 = timesteps("64"), of_250 = timesteps("250");
  EXPECT_EQ(of_64.size(), 64U);
  EXPECT_EQ((std::vector<int64_t>(of_64.begin(), of_64.begin() + 6)),
            (std::vector<int64_t>{0, 16, 32, 48, 63, 79}));
  EXPECT_EQ((std::vector<int64_t>(of_64.end() - 2, of_64.end())), (std::vector<int64_t>{983, 999}));
  EXPECT_EQ(of_250.size(), 250U);
  EXPECT_EQ((std::vector<int64_t>(of_250.begin(), of_250.begin() + 3)), (std::vector<int64_t>{0, 4, 8}));
  EXPECT_EQ((std::vector<int64_t>(of_250.end() - 2, of_250.end())), (std::vector<int64_t>{995, 999}));
  EXPECT_EQ(timesteps("27")[13], 499);
  EXPECT_THAT(timesteps("fast27"),
              ElementsAre(0, 22, 44, 66, 88, 111, 133, 155, 177, 199, 200, 222, 244, 266, 288, 311, 333, 355,
                          377, 399, 400, 500, 599, 600, 799, 800, 997));
  EXPECT_EQ(timesteps("10,10,3,2,2").back(), 999);
  EXPECT_THAT(timesteps("1"), ElementsAre(999));
  EXPECT_EQ(timesteps("1000").size(), 1000U);
}

TEST(Timesteps, DdimWantsAWholeStride) {
  EXPECT_EQ(timesteps("ddim27").back(), 988);
  EXPECT_EQ(timesteps("ddim15").back(), 938);
  EXPECT_EQ(timesteps("ddim250").back(), 996);
  EXPECT_THROW(timesteps("ddim64"), Error);
}

TEST(Timesteps, LinspaceIsUnClipSchedulers) {
  const auto fixture = diffusion_fixture("schedules");
  for (const int64_t count : {2, 3, 5, 7, 10, 25, 26, 50, 100, 250, 1000}) {
    const auto name = "unclip_timesteps." + std::to_string(count);
    EXPECT_EQ(linspace_timesteps(1000, count), unclip::testing::to_integers(fixture.tensor(name).flip(0)))
        << count;
  }
}

TEST(Timesteps, TrailingMatchesTheRecordedSteps) {
  const auto fixture = diffusion_fixture("samplers");
  const auto recorded = unclip::testing::to_integers(fixture.tensor("dpm_linear.steps"));
  const auto steps = sampling_steps(timesteps("trailing10"));
  ASSERT_EQ(recorded.size(), 2 * steps.size());
  for (size_t i = 0; i < steps.size(); ++i) {
    EXPECT_EQ(steps[i], (Step{recorded[2 * i], recorded[2 * i + 1]}));
  }
}

TEST(Timesteps, LogSnrIsEvenInLambda) {
  const NoiseSchedule schedule((ScheduleConfig()));
  const auto chosen = parse_timesteps("logsnr11", schedule, 996);
  ASSERT_EQ(chosen.size(), 11U);
  EXPECT_EQ(chosen.front(), 0);
  EXPECT_EQ(chosen.back(), 995);
  const double stride = (schedule.lambda(0) - schedule.lambda(995)) / 10;
  for (size_t i = 0; i + 1 < chosen.size(); ++i) {
    EXPECT_NEAR(schedule.lambda(chosen[i]) - schedule.lambda(chosen[i + 1]), stride, 0.15 * stride) << i;
  }
  for (const int64_t count : {1, 2, 50, 500, 995, 996}) {  // more than λ can tell apart: still distinct
    const auto many = log_snr_timesteps(schedule, 996, count);
    EXPECT_EQ(static_cast<int64_t>(many.size()), count);
    EXPECT_TRUE(std::ranges::adjacent_find(many, std::greater_equal<>()) == many.end()) << count;
    EXPECT_EQ(many.back(), 995);
  }
}

TEST(Timesteps, NamesWhatItCannotRead) {
  for (const char* text :
       {"", "0", "-3", "ddim", "ddim0", "1001", "10,", "a", "5x", "500,500,500", "linspace2000"}) {
    EXPECT_THROW(timesteps(text), Error) << text;
  }
}

}  // namespace
}  // namespace unclip::diffusion
