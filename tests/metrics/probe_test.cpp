// Linear probes against scikit-learn.
#include "support/close.h"
#include "support/error_of.h"
#include "support/fixture.h"
#include "unclip/base/noise.h"
#include "unclip/metrics/linear_probe.h"

namespace unclip::metrics {
namespace {

using torch::Tensor;

TEST(LinearProbe, RatingsEqualRidgeOfScikitLearn) {
  const testing::Fixture fixture("eval/metrics");
  const Tensor x = fixture["in.real"], ratings = fixture["ratings.in"];
  const LinearProbe probe = fit_ratings(x, ratings);
  EXPECT_CLOSE(probe.weight, fixture["ratings.weight"], {.absolute = 1e-9, .relative = 1e-9});
  EXPECT_NEAR(probe.bias, fixture["ratings.bias"].item<double>(), 1e-8);
  EXPECT_GT(r_squared(probe, x, ratings), 0.9);
}

TEST(LinearProbe, PreferencesEqualLogisticRegressionOfScikitLearn) {
  const testing::Fixture fixture("eval/metrics");
  const Tensor better = fixture["preferences.better"], worse = fixture["preferences.worse"];
  const LinearProbe probe = fit_preferences(better, worse);
  EXPECT_CLOSE(probe.weight, fixture["preferences.weight"], {.absolute = 1e-6, .relative = 1e-5});
  EXPECT_GT(preference_accuracy(probe, better, worse), 0.7);
}

TEST(LinearProbe, FindsTheDirectionThatDecides) {
  const Tensor x = normal_noise({1, 1, 0}, {2000, 8}), y = normal_noise({2, 1, 0}, {2000, 8});
  const Tensor first_wins = (x.select(1, 3) / x.norm(2, 1) > y.select(1, 3) / y.norm(2, 1)).unsqueeze(1);
  const Tensor better = torch::where(first_wins, x, y), worse = torch::where(first_wins, y, x);
  const LinearProbe probe = fit_preferences(better.slice(0, 0, 1000), worse.slice(0, 0, 1000));
  EXPECT_EQ(probe.weight.argmax().item<int64_t>(), 3);
  EXPECT_GT(preference_accuracy(probe, better.slice(0, 1000), worse.slice(0, 1000)), 0.97);
}

TEST(LinearProbe, RefusesWhatDoesNotFit) {
  const Tensor x = normal_noise({1, 1, 0}, {10, 8});
  EXPECT_EQ(testing::error_of(ErrorKind::data, [&] { fit_ratings(x, torch::zeros({9})); }),
            "a probe needs one rating for each of at least two pictures, got [9] for 10 pictures");
  EXPECT_EQ(testing::error_of(ErrorKind::config, [&] { fit_ratings(x, torch::zeros({10}), 0); }),
            "the penalty of a probe is 0, expected more than 0");
  const LinearProbe probe = fit_ratings(x, torch::arange(10));
  EXPECT_EQ(testing::error_of(ErrorKind::shape,
                              [&] {
                                probe(torch::zeros({2, 4}));
                              }),
            "features have shape [2, 4], but the probe was fitted to a width of 8");
}

}  // namespace
}  // namespace unclip::metrics
