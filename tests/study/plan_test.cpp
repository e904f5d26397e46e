// How a budget is divided.
#include "unclip/study/plan.h"

#include <gtest/gtest.h>

namespace unclip::study {
namespace {

constexpr Speeds kSpeeds{.prior_step = 0.1, .ar_prior_step = 0.2, .decoder_step = 0.5, .picture = 0.25};

/// Seconds that the plan's parts take at those speeds: what plan.h says of them.
double seconds_of(const Plan& plan) {
  const auto priors = 1.75 * (static_cast<double>(plan.prior_steps) * kSpeeds.prior_step +
                              static_cast<double>(plan.ar_prior_steps) * kSpeeds.ar_prior_step);
  return priors + 2 * static_cast<double>(plan.decoder_steps) * kSpeeds.decoder_step +
         17 * static_cast<double>(plan.pictures) * kSpeeds.picture +
         30 * static_cast<double>(plan.subjects) * kSpeeds.picture;
}

TEST(Plan, FillsItsBudgetAndNoMore) {
  for (const double hours : {1.0, 3.0}) {
    const double share = seconds_of(make_plan(kSpeeds, hours, 10000)) / (3600 * hours);
    EXPECT_GT(share, 0.90) << hours;
    EXPECT_LE(share, 0.95) << hours;
  }
}

TEST(Plan, GivesBothPriorsTheSameTime) {
  const Plan plan = make_plan(kSpeeds, 3, 1000);
  EXPECT_NEAR(static_cast<double>(plan.prior_steps) * kSpeeds.prior_step,
              static_cast<double>(plan.ar_prior_steps) * kSpeeds.ar_prior_step, kSpeeds.ar_prior_step);
}

TEST(Plan, KeepsTheLeastThatCanBeMeasured) {
  const Plan plan = make_plan(kSpeeds, 1e-6, 1000);
  EXPECT_EQ(plan.prior_steps, 16);
  EXPECT_EQ(plan.decoder_steps, 16);
  EXPECT_EQ(plan.pictures, 16);
  EXPECT_EQ(plan.subjects, 8);
}

TEST(Plan, ManipulatesNoMorePicturesThanThereAre) {
  EXPECT_EQ(make_plan(kSpeeds, 100, 20).subjects, 20);
  EXPECT_EQ(make_plan(kSpeeds, 100, 100000).subjects, 200);
}

}  // namespace
}  // namespace unclip::study
