// Differences with intervals: of sets whose difference is known.
#include "unclip/study/statistics.h"

#include <gmock/gmock.h>

#include "support/close.h"
#include "support/error_of.h"
#include "unclip/base/noise.h"

namespace unclip::study {
namespace {

using torch::Tensor;

Tensor gaussian(uint64_t stream, double shift) { return normal_noise({5, stream, 0}, {400, 4}) + shift; }

TEST(Statistics, FrechetDifferenceOfShiftedGaussians) {
  // ‖shift‖² of four dimensions: 4 · 1 − 4 · 0.25.
  const metrics::Estimate e = frechet_difference(gaussian(1, 1.0), gaussian(2, 0.5), gaussian(3, 0.0), 1);
  EXPECT_NEAR(e.value, 3.0, 0.5);
  EXPECT_LT(e.low, e.value);
  EXPECT_GT(e.high, e.value);
  EXPECT_GT(e.low, 2.0);
  EXPECT_LT(e.high, 4.0);
}

TEST(Statistics, FrechetDifferenceOfASetWithItselfIsNone) {
  const metrics::Estimate e = frechet_difference(gaussian(1, 1.0), gaussian(1, 1.0), gaussian(3, 0.0), 1);
  EXPECT_EQ(e.value, 0);
  EXPECT_EQ(e.low, 0);
  EXPECT_EQ(e.high, 0);
}

TEST(Statistics, SetsMustBelongTogether) {
  EXPECT_THAT(
      testing::error_of(
          ErrorKind::shape,
          [] { frechet_difference(gaussian(1, 0), gaussian(2, 0).slice(0, 0, 9), gaussian(3, 0), 1); }),
      ::testing::HasSubstr("expected the same captions in both"));
}

TEST(Statistics, CosinesRowByRow) {
  const Tensor rows = torch::tensor({{1.0, 0.0}, {0.0, 1.0}, {0.6, 0.8}});
  EXPECT_CLOSE(row_cosines(rows, rows.flip(0)), torch::tensor({0.6, 1.0, 0.6}, torch::kFloat64));
  EXPECT_CLOSE(cosines_with_others(rows), torch::tensor({0.3, 0.4, 0.7}, torch::kFloat64));
  const Tensor queries = torch::tensor({{0.9, 0.1}, {0.9, 0.1}, {0.6, 0.8}});
  EXPECT_CLOSE(finds_own(queries, rows), torch::tensor({1.0, 0.0, 1.0}, torch::kFloat64));
}

}  // namespace
}  // namespace unclip::study
