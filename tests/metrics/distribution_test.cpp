// Distances between sets of features: recorded NumPy and SciPy values, and closed forms.
#include "support/close.h"
#include "support/error_of.h"
#include "support/fixture.h"
#include "unclip/base/noise.h"
#include "unclip/metrics/fid.h"
#include "unclip/metrics/kid.h"
#include "unclip/metrics/manifold.h"

namespace unclip::metrics {
namespace {

using testing::error_of;
using torch::Tensor;

class Recorded : public ::testing::Test {
 protected:
  double number(const std::string& name) const { return fixture_[name].item<double>(); }
  testing::Fixture fixture_{"eval/metrics"};
  Tensor drawn_ = fixture_["in.drawn"], real_ = fixture_["in.real"];
};

TEST_F(Recorded, CovarianceEqualsNumpys) {
  EXPECT_CLOSE(fit_gaussian(real_).covariance, fixture_["covariance.real"],
               {.absolute = 1e-12, .relative = 1e-12});
}

TEST_F(Recorded, FrechetDistanceEqualsScipys) {
  const double expected = number("frechet");
  EXPECT_NEAR(frechet_distance(fit_gaussian(drawn_), fit_gaussian(real_)), expected, 1e-9 * expected);
}

TEST_F(Recorded, SquaredMmdEqualsTheSumOverPairs) {
  const double expected = number("squared_mmd");
  EXPECT_NEAR(squared_mmd(drawn_, real_), expected, 1e-9 * std::abs(expected));
}

TEST_F(Recorded, ManifoldsEqualNumpys) {
  EXPECT_CLOSE(squared_radii(real_).sqrt(), fixture_["radii.real"], {.absolute = 0, .relative = 1e-6});
  const Manifolds manifolds = compare_manifolds(drawn_, real_);
  EXPECT_TRUE(manifolds.precise.equal(fixture_["manifold.precise"]));
  EXPECT_TRUE(manifolds.recalled.equal(fixture_["manifold.recalled"]));
  EXPECT_TRUE(manifolds.densities.equal(fixture_["manifold.densities"]));
  EXPECT_TRUE(manifolds.covered.equal(fixture_["manifold.covered"]));
  // Otherwise nothing was compared.
  EXPECT_GT(manifolds.precision(), 0.05);
  EXPECT_LT(manifolds.precision(), 0.95);
  EXPECT_GT(manifolds.recall(), 0.05);
  EXPECT_LT(manifolds.recall(), 0.95);
}

Tensor cloud(uint64_t seed, int64_t count, int64_t width = 16) {
  return normal_noise({seed, 1, 0}, {count, width});
}

TEST(Moments, BatchesGiveWhatTheWholeGives) {
  const Tensor x = cloud(1, 1000) * 3 + 100;
  Moments parts(16);
  for (const auto& [first, last] : {std::pair{0, 1}, {1, 7}, {7, 700}, {700, 1000}})
    parts.add(x.slice(0, first, last));
  const Gaussian whole = fit_gaussian(x), added = parts.gaussian();
  EXPECT_EQ(parts.count(), 1000);
  EXPECT_CLOSE(added.mean, whole.mean, {.absolute = 0, .relative = 1e-13});
  EXPECT_CLOSE(added.covariance, whole.covariance, {.absolute = 0, .relative = 1e-11});
  const Tensor y = x.to(torch::kFloat64);
  EXPECT_CLOSE(whole.covariance, (y - y.mean(0)).t().matmul(y - y.mean(0)) / 999,
               {.absolute = 0, .relative = 1e-11});
}

TEST(Moments, RefuseWhatIsNoFeature) {
  Moments moments(16);
  EXPECT_EQ(error_of(ErrorKind::shape,
                     [&] {
                       moments.add(torch::zeros({2, 8}));
                     }),
            "features have shape [2, 8], expected [N, 16]");
  EXPECT_EQ(error_of(ErrorKind::numeric,
                     [&] {
                       moments.add(torch::full({2, 16}, NAN));
                     }),
            "features hold values that are infinite or not a number");
  moments.add(torch::zeros({1, 16}));
  EXPECT_EQ(error_of(ErrorKind::data, [&] { moments.gaussian(); }),
            "a covariance needs at least two pictures, got 1");
}

TEST(Frechet, OfASetWithItselfIsZero) {
  const Gaussian gaussian = fit_gaussian(cloud(1, 500));
  EXPECT_NEAR(frechet_distance(gaussian, gaussian), 0, 1e-10);
  const Gaussian singular = fit_gaussian(cloud(2, 5));  // fewer rows than dimensions
  EXPECT_NEAR(frechet_distance(singular, singular), 0, 1e-6);
}

TEST(Frechet, OfShiftedGaussiansIsTheSquaredShift) {
  const Tensor x = cloud(1, 500).to(torch::kFloat64), shift = torch::arange(16, torch::kFloat64) * 0.1;
  const double expected = shift.square().sum().item<double>();
  EXPECT_NEAR(frechet_distance(fit_gaussian(x), fit_gaussian(x + shift)), expected, 1e-9 * expected);
}

TEST(Frechet, OfScaledGaussiansIsTheClosedForm) {
  // Commuting covariances: tr(Σ + s²Σ − 2sΣ) = (1 − s)² tr Σ.
  const Gaussian a = fit_gaussian(cloud(1, 500)), b{a.mean, 6.25 * a.covariance};
  EXPECT_NEAR(frechet_distance(a, b), 2.25 * a.covariance.trace().item<double>(), 1e-9);
}

TEST(Frechet, NeedsOneWidth) {
  const Gaussian a = fit_gaussian(cloud(1, 50)), b = fit_gaussian(cloud(1, 50, 8));
  EXPECT_EQ(
      error_of(ErrorKind::shape, [&] { frechet_distance(a, b); }),
      "features of width 16 are compared with features of width 8: both must come from the same network");
  EXPECT_TRUE(is_biased(16, 1000, 16));
  EXPECT_FALSE(is_biased(17, 17, 16));
}

TEST(KernelDistance, IsUnbiasedOverSubsets) {
  const Tensor x = cloud(1, 400), same = cloud(2, 400), other = cloud(3, 400) + 0.5;
  const KernelDistanceOptions options{.subsets = 50, .subset_size = 100};
  const KernelDistance zero = kernel_distance(x, same, options), apart = kernel_distance(x, other, options);
  EXPECT_NEAR(zero.value, squared_mmd(x, same), 5 * zero.standard_error);
  EXPECT_NEAR(apart.value, squared_mmd(x, other), 5 * apart.standard_error);
  EXPECT_LT(std::abs(zero.value), 6 * zero.standard_error);
  EXPECT_GT(apart.value, 20 * apart.standard_error);
  EXPECT_EQ(zero.subset_size, 100);
  EXPECT_EQ(kernel_distance(x, same.slice(0, 0, 60), options).subset_size, 30);
  EXPECT_EQ(kernel_distance(x, same, options).value, zero.value);
  EXPECT_EQ(error_of(ErrorKind::data, [&] { kernel_distance(x, same.slice(0, 0, 3)); }),
            "a kernel distance needs at least 4 pictures on each side, got 3");
}

TEST(Manifolds, OfASetWithItselfCoverAll) {
  // More rows than a tile has, and duplicates, whose balls have radius zero.
  const Tensor x = torch::cat({cloud(1, 1100), cloud(2, 1).expand({8, 16})}) * 0.01 + 50;
  const Manifolds manifolds = compare_manifolds(x, x);
  EXPECT_EQ(manifolds.precision(), 1);
  EXPECT_EQ(manifolds.recall(), 1);
  EXPECT_EQ(manifolds.coverage(), 1);
  EXPECT_GE(manifolds.density(), 1);
}

TEST(Manifolds, OfSetsFarApartShareNothing) {
  const Manifolds manifolds = compare_manifolds(cloud(1, 50), cloud(2, 60) + 100);
  EXPECT_EQ(manifolds.precision() + manifolds.recall() + manifolds.density() + manifolds.coverage(), 0);
}

TEST(Manifolds, TellCollapseFromNoise) {
  const Tensor real = cloud(1, 500);
  const Manifolds collapsed = compare_manifolds(real.slice(0, 0, 1) + 0.01 * cloud(2, 500), real);
  EXPECT_GT(collapsed.precision(), 0.99);
  EXPECT_LT(collapsed.recall(), 0.01);
  const Manifolds noisy = compare_manifolds(3 * cloud(2, 500), real);
  EXPECT_LT(noisy.precision(), 0.1);
  EXPECT_GT(noisy.recall(), 0.9);
}

TEST(Manifolds, NeedMorePicturesThanNeighbours) {
  EXPECT_EQ(error_of(ErrorKind::data, [] { compare_manifolds(cloud(1, 3), cloud(2, 50)); }),
            "balls that reach to the 3rd neighbour need more than 3 pictures, got 3");
}

}  // namespace
}  // namespace unclip::metrics
