#include "unclip/diffusion/denoiser.h"

#include <gmock/gmock.h>

#include "support/close.h"
#include "unclip/base/error.h"
#include "unclip/base/noise.h"

namespace unclip::diffusion {
namespace {

using ::testing::HasSubstr;

Tensor normal(uint64_t seed, torch::IntArrayRef shape) {
  return normal_noise({seed, stream_id("denoiser_test"), 0}, shape).to(torch::kFloat64);
}

struct Example {
  NoiseSchedule schedule{ScheduleConfig{}};
  Tensor t = torch::tensor({0, 1, 500, 998}, torch::kInt64);
  NoisedBatch batch = noised_batch(schedule, normal(1, {4, 3, 2, 2}), t, normal(2, {4, 3, 2, 2}));
};

TEST(Process, MixesRowsByTheirOwnTimestep) {
  const Example example;
  for (int64_t row = 0; row < 4; ++row) {
    const NoiseLevel<double> level = noise_level(example.schedule, example.t[row].item<int64_t>());
    EXPECT_CLOSE(example.batch.x_t[row],
                 level.signal * example.batch.x_0[row] + level.noise * example.batch.eps[row], {1e-12, 0});
  }
  EXPECT_THROW(gather({0.5}, torch::tensor({1}), torch::zeros({1, 3})), Error);
  EXPECT_THROW(gather({0.5}, torch::tensor({0, 0}), torch::zeros({1, 3})), Error);
  EXPECT_THROW(gather({0.5}, torch::tensor({0.0}), torch::zeros({1, 3})), Error);
}

TEST(Parameterization, PerfectOutputsGiveBackX0) {
  const Example example;
  for (const auto kind : {Parameterization::x_0, Parameterization::epsilon, Parameterization::v}) {
    const Tensor output = target(kind, example.schedule, example.batch);
    const auto rows = noise_level(example.schedule, example.t, example.batch.x_t);
    EXPECT_CLOSE(predicted_x_0(kind, output, example.batch.x_t, rows), example.batch.x_0, {1e-9, 0})
        << enum_name(kind);
    const auto level = noise_level(example.schedule, 500);
    EXPECT_CLOSE(predicted_x_0(kind, output[2], example.batch.x_t[2], level), example.batch.x_0[2],
                 {1e-12, 0});
    EXPECT_CLOSE(epsilon_from_x_0(example.batch.x_0[2], example.batch.x_t[2], level), example.batch.eps[2],
                 {1e-12, 0});
  }
}

TEST(Parameterization, VRotatesAwayFromX0) {
  const Example example;
  const auto level = noise_level(example.schedule, 500);
  const Tensor v = target(Parameterization::v, example.schedule, example.batch)[2];
  EXPECT_CLOSE(v, level.signal * example.batch.eps[2] - level.noise * example.batch.x_0[2], {1e-12, 0});
}

TEST(Denoiser, SplitsTheVarianceChannels) {
  const Example example;
  DiffusionConfig config;
  config.learn_sigma = true;
  const Tensor eps = normal(3, {4, 3, 2, 2}), v = normal(4, {4, 3, 2, 2});
  const Network network = [&](const Tensor&, int64_t) { return torch::cat({eps, v}, 1); };
  const Prediction prediction = make_denoiser(example.schedule, config, network)(example.batch.x_t, 500);
  EXPECT_CLOSE(*prediction.variance_fraction, (v + 1) / 2, {1e-12, 0});
  EXPECT_CLOSE(prediction.x_0, x_0_from_epsilon(eps, example.batch.x_t, noise_level(example.schedule, 500)),
               {1e-12, 0});
  config.learn_sigma = false;
  EXPECT_THROW(make_denoiser(example.schedule, config, network)(example.batch.x_t, 500), Error);
}

TEST(Denoiser, AnswersInTheTypeOfTheState) {
  const Network network = [](const Tensor& x, int64_t) { return x.to(torch::kBFloat16); };
  const auto denoise = make_denoiser(NoiseSchedule(ScheduleConfig{}), DiffusionConfig{}, network);
  EXPECT_EQ(denoise(torch::zeros({1, 3}), 5).x_0.scalar_type(), torch::kFloat32);
}

TEST(Guidance, ExtrapolatesTheMeanAndKeepsTheVariance) {
  const Tensor c = normal(5, {2, 6, 2, 2}), u = normal(6, {2, 6, 2, 2}),
               x = torch::zeros({2, 3, 2, 2}).to(torch::kFloat64);
  const Network conditional = [&](const Tensor&, int64_t) { return c; };
  const Network unconditional = [&](const Tensor&, int64_t) { return u; };
  const Network doubled = [&](const Tensor& both, int64_t) {
    EXPECT_EQ(both.size(0), 4);
    return torch::cat({c, u});
  };
  const Tensor expected =
      torch::cat({4.0 * c.narrow(1, 0, 3) - 3.0 * u.narrow(1, 0, 3), c.narrow(1, 3, 3)}, 1);
  EXPECT_CLOSE(guide(conditional, unconditional, 4.0)(x, 7), expected, {1e-12, 0});
  EXPECT_CLOSE(guide_doubled(doubled, 4.0)(x, 7), expected, {1e-12, 0});
  EXPECT_CLOSE(guide(conditional, unconditional, 0.0)(x, 7).narrow(1, 0, 3), u.narrow(1, 0, 3), {1e-12, 0});
}

TEST(Guidance, ScaleOneAsksTheConditionalNetworkAlone) {
  const Tensor c = normal(5, {2, 3});
  const Network conditional = [&](const Tensor&, int64_t) { return c; };
  const Network forbidden = [](const Tensor&, int64_t) -> Tensor {
    fail(ErrorKind::shape, "must not be asked");
  };
  EXPECT_TRUE(torch::equal(guide(conditional, forbidden, 1.0)(c, 0), c));
  EXPECT_THROW(guide(conditional, forbidden, 2.0)(c, 0), Error);
}

Prediction thresholded(const Tensor& x_0, const ThresholdConfig& config) {
  return threshold([&](const Tensor&, int64_t) { return Prediction{x_0, std::nullopt}; }, config)(x_0, 0);
}

TEST(Threshold, ClampsToTheBound) {
  const Tensor x_0 = torch::tensor({{-3.0, 0.5, 1.5}});
  EXPECT_TRUE(torch::equal(thresholded(x_0, {}).x_0, x_0));
  EXPECT_CLOSE(thresholded(x_0, {.kind = Threshold::clamp, .bound = 1.0}).x_0,
               torch::tensor({{-1.0, 0.5, 1.0}}));
  EXPECT_CLOSE(thresholded(x_0, {.kind = Threshold::clamp, .bound = 2.0}).x_0,
               torch::tensor({{-2.0, 0.5, 1.5}}));
  EXPECT_THROW(thresholded(x_0, {.kind = Threshold::clamp, .bound = 0.0}), Error);
}

TEST(Threshold, DynamicScalesEachPictureByItsOwnQuantile) {
  const Tensor x_0 = torch::stack({torch::arange(-100, 101) / 50.0, torch::arange(-100, 101) / 200.0});
  const Tensor result = thresholded(x_0, {.kind = Threshold::dynamic, .quantile = 0.5}).x_0;
  // |x| of row 0 has median 1.0 and row 1 stays inside the bound; 75 % is 1.5
  EXPECT_CLOSE(result[0], x_0[0].clamp(-1, 1));
  EXPECT_CLOSE(result[1], x_0[1]);
  const Tensor wide = thresholded(x_0, {.kind = Threshold::dynamic, .quantile = 0.75}).x_0;
  EXPECT_CLOSE(wide[0], x_0[0].clamp(-1.5, 1.5) / 1.5, {2e-2, 0});
  EXPECT_NEAR(wide.abs().max().item<double>(), 1.0, 1e-6);
}

TEST(DiffusionConfig, RoundTripsAndNamesErrors) {
  const auto config = config_from_json<DiffusionConfig>(
      R"({"schedule": {"kind": "linear"}, "parameterization": "v", "threshold": {"kind": "dynamic"}})", "x");
  EXPECT_EQ(config.schedule.kind, ScheduleKind::linear);
  EXPECT_EQ(config_to_json(config_from_json<DiffusionConfig>(config_to_json(config), "y")),
            config_to_json(config));
  EXPECT_EQ(config.parameterization, Parameterization::v);
  EXPECT_THROW(config_from_json<DiffusionConfig>(R"({"parameterization": "noise"})", "x"), Error);
}

}  // namespace
}  // namespace unclip::diffusion
