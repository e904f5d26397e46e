#include "unclip/prior/dot_product_token.h"

#include <gmock/gmock.h>

#include "support/close.h"
#include "support/error_of.h"
#include "unclip/base/noise.h"

namespace unclip::prior {
namespace {

using torch::Tensor;

constexpr int64_t kBins = 40;

TEST(DotProductToken, IsTheCosine) {
  const Tensor z_i = torch::tensor({{3.0, 0.0}, {1.0, 1.0}}), z_t = torch::tensor({{5.0, 0.0}, {-2.0, 0.0}});
  EXPECT_CLOSE(dot_product(z_i, z_t), torch::tensor({1.0, -std::sqrt(0.5)}));
}

TEST(DotProductToken, BinsHoldEqualSharesOfTraining) {
  const Tensor dots = normal_noise({1, 1, 1}, {4000}) * 0.1 + 0.3;
  const Tensor edges = dot_product_edges(dots, kBins);
  ASSERT_EQ(edges.size(0), kBins - 1);
  const Tensor counts = torch::bincount(dot_product_token(dots, edges), {}, kBins);
  EXPECT_TRUE(torch::equal(counts, torch::full({kBins}, 100, torch::kLong)));
  EXPECT_TRUE(torch::equal(dot_product_token(torch::tensor({-1.0F, 1.0F}), edges),
                           torch::tensor({int64_t{0}, kBins - 1})));
  EXPECT_THAT(testing::error_of(ErrorKind::data, [&] { dot_product_edges(dots.slice(0, 0, 39), kBins); }),
              ::testing::HasSubstr("39 pairs cannot fill 40 bins"));
}

TEST(DotProductToken, IsDrawnFromTheTopHalfOnly) {
  const Tensor u = uniform_noise({1, 2, 1}, {20000});
  const Tensor drawn = draw_dot_product_token(u, kBins, 0.5);
  const Tensor counts = torch::bincount(drawn, {}, kBins).to(torch::kFloat64);
  EXPECT_EQ(counts.slice(0, 0, kBins / 2).sum().item<double>(), 0);
  // Each of 20 bins about 1,000 times: 5 standard deviations are 154.
  EXPECT_LT((counts.slice(0, kBins / 2) - 1000).abs().max().item<double>(), 160);
  // The pairs of training that such tokens stand for are the upper half of the distribution.
  const Tensor dots = normal_noise({1, 3, 1}, {4000});
  const Tensor upper = dot_product_token(dots, dot_product_edges(dots, kBins)) >= drawn.min();
  EXPECT_EQ(upper.sum().item<int64_t>(), 2000);
  EXPECT_GE(dots.masked_select(upper).min().item<double>(), dots.masked_select(~upper).max().item<double>());
}

TEST(DotProductToken, PercentilesAndTheEndsOfTheUnitInterval) {
  const Tensor ends = torch::tensor({0.0F, 1.0F - 0x1p-24F});
  for (const double percentile : {0.0, 0.5, 0.7, 0.85, 0.95, 0.999}) {
    const Tensor drawn = draw_dot_product_token(ends, kBins, percentile);
    EXPECT_EQ(drawn[0].item<int64_t>(), std::min<int64_t>(std::ceil(percentile * kBins), kBins - 1));
    EXPECT_EQ(drawn[1].item<int64_t>(), kBins - 1);
  }
}

}  // namespace
}  // namespace unclip::prior
