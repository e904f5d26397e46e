#include "unclip/manipulate/inpaint.h"

#include <gmock/gmock.h>

#include <cmath>

#include "support/close.h"
#include "support/error_of.h"
#include "unclip/diffusion/timesteps.h"

namespace unclip::manipulate {
namespace {

using diffusion::Step;
using testing::error_of;

diffusion::Trajectory steps_of(const std::vector<int64_t>& timesteps) {
  return {diffusion::NoiseSchedule(diffusion::ScheduleConfig{}), diffusion::sampling_steps(timesteps)};
}

TEST(InpaintingWalk, WithoutResamplingIsTheTrajectory) {
  const auto down = steps_of({0, 100, 500, 900});
  EXPECT_EQ(inpainting_walk(down, {.jump_length = 2, .resamplings = 1}).steps.steps, down.steps);
}

TEST(InpaintingWalk, GoesBackAfterEveryStretch) {
  const auto walk =
      inpainting_walk(steps_of({0, 100, 500}), {.jump_length = 2, .resamplings = 2}).steps.steps;
  // Stretches from the clean end: {100 → 0, 0 → x_0} and the rest, {500 → 100}.
  const std::vector<Step> expected{{500, 100}, {100, 500}, {500, 100}, {100, 0},
                                   {0, -1},    {-1, 100},  {100, 0},   {0, -1}};
  EXPECT_EQ(walk, expected);
}

TEST(InpaintingWalk, CostsResamplingsTimesTheSteps) {
  const auto down = steps_of(diffusion::linspace_timesteps(1000, 25));
  const auto walk = inpainting_walk(down, {.jump_length = 5, .resamplings = 4}).steps.steps;
  EXPECT_EQ(std::ranges::count_if(walk, [](const Step& s) { return s.t_prev < s.t; }), 100);
  EXPECT_EQ(std::ranges::count_if(walk, [](const Step& s) { return s.t_prev > s.t; }), 15);
  EXPECT_EQ(walk.back().t_prev, -1);
}

TEST(InpaintingWalk, RefusesNoJumpsAndNoRounds) {
  const auto down = steps_of({0, 500});
  EXPECT_THAT(error_of(ErrorKind::config, [&] { inpainting_walk(down, {.jump_length = 0}); }),
              ::testing::HasSubstr("jump_length is 0"));
  EXPECT_THAT(error_of(ErrorKind::config, [&] { inpainting_walk(down, {.resamplings = 0}); }),
              ::testing::HasSubstr("resamplings are 0"));
  EXPECT_THAT(error_of(ErrorKind::config, [&] { inpainting_walk(down, {.eta = 1.5}); }),
              ::testing::HasSubstr("eta is 1.5"));
}

/// Pictures of two pixels that are N(0, 1) with correlation ρ, and their best denoiser.
struct Pair {
  double rho = 0.9;
  diffusion::NoiseSchedule schedule{diffusion::ScheduleConfig{}};

  diffusion::Denoiser denoiser(int64_t& calls) const {
    return [this, &calls](const Tensor& x_t, int64_t t) {
      ++calls;
      const double a = schedule.alpha_bar(t);
      const Tensor covariance = torch::tensor({{1.0, rho}, {rho, 1.0}}, torch::kFloat64);
      const Tensor gain =
          std::sqrt(a) * covariance.mm((a * covariance + (1 - a) * torch::eye(2, torch::kFloat64)).inverse());
      return diffusion::Prediction{x_t.view({-1, 2}).mm(gain.t()).view(x_t.sizes()), std::nullopt};
    };
  }
};

/// The second pixel of many such pictures whose first pixel is known to be 1.
Tensor repainted(const Pair& data, int64_t resamplings, int64_t count, int64_t& calls) {
  const Tensor hole = torch::tensor({false, true}, torch::kBool).view({1, 1, 1, 2});
  const Tensor known = torch::tensor({1.0, -77.0}, torch::kFloat64).view({1, 1, 1, 2});
  std::vector<uint64_t> seeds(static_cast<size_t>(count));
  for (size_t i = 0; i < seeds.size(); ++i) seeds[i] = i;
  const diffusion::SamplingHooks hooks{.noise = picture_noise(seeds, "test"), .observer = {}};
  const auto walk = inpainting_walk(steps_of(diffusion::linspace_timesteps(996, 40)),
                                    {.jump_length = 8, .resamplings = resamplings});
  const Tensor like = torch::empty({count, 1, 1, 2}, torch::kFloat64);
  const Tensor result =
      inpaint(data.denoiser(calls), {known, hole}, hooks.noise(like, kInitialNoise), walk, hooks);
  EXPECT_TRUE((result.select(3, 0) == 1.0).all().item<bool>());
  return result.select(3, 1).flatten();
}

TEST(Inpaint, ResamplingFindsTheConditionalDistribution) {
  const Pair data;
  int64_t calls = 0;
  const Tensor once = repainted(data, 1, 2000, calls);
  EXPECT_EQ(calls, 40);
  const Tensor often = repainted(data, 12, 2000, calls);
  EXPECT_EQ(calls, 40 + 12 * 40);
  const double off_once = std::abs(once.mean().item<double>() - data.rho);
  const double off_often = std::abs(often.mean().item<double>() - data.rho);
  EXPECT_LT(off_often, 0.06);
  EXPECT_LT(off_often, 0.5 * off_once);
  EXPECT_NEAR(often.std().item<double>(), std::sqrt(1 - data.rho * data.rho), 0.1);
}

TEST(Inpaint, APictureIsTheSameInAnyBatch) {
  const Pair data;
  int64_t calls = 0;
  EXPECT_CLOSE(repainted(data, 3, 2, calls), repainted(data, 3, 5, calls).slice(0, 0, 2));
}

TEST(Inpaint, NamesShapesThatDoNotFit) {
  const auto walk = inpainting_walk(steps_of({0, 500}), {});
  const Tensor x = torch::zeros({1, 3, 4, 4});
  const diffusion::Denoiser none = [](const Tensor& x_t, int64_t) { return diffusion::Prediction{x_t, {}}; };
  EXPECT_THAT(error_of(ErrorKind::shape,
                       [&] {
                         inpaint(none, {x, torch::ones({1, 1, 5, 5}, torch::kBool)}, x, walk, {});
                       }),
              ::testing::HasSubstr("do not fit"));
}

}  // namespace
}  // namespace unclip::manipulate
