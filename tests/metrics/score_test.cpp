// Scores of single pictures and their captions, and confidence intervals.
#include <cmath>

#include "support/close.h"
#include "support/error_of.h"
#include "support/fixture.h"
#include "unclip/metrics/clip_score.h"
#include "unclip/metrics/resample.h"
#include "unclip/metrics/retrieval.h"

namespace unclip::metrics {
namespace {

using torch::Tensor;

TEST(ClipScore, EqualsNumpys) {
  const testing::Fixture fixture("eval/metrics");
  const Tensor x = fixture["in.drawn"], y = fixture["in.real"].slice(0, 0, x.size(0));
  const Tensor cosines = pair_cosines(x, y);
  EXPECT_CLOSE(cosines, fixture["cosines"], {.absolute = 1e-12, .relative = 0});
  EXPECT_TRUE(retrieval_ranks(x, y).equal(fixture["ranks"]));
  EXPECT_NEAR(mean_pairwise_distance(x), fixture["pairwise_distance"].item<double>(), 1e-12);
  EXPECT_CLOSE(hessel_scores(torch::tensor({-0.5, 0.0, 0.4})), torch::tensor({0.0, 0.0, 1.0}));
  EXPECT_CLOSE(clip_scores(torch::tensor({-0.5, 0.3})), torch::tensor({-50.0, 30.0}));
}

TEST(ClipScore, NeedsPairs) {
  EXPECT_EQ(testing::error_of(ErrorKind::shape,
                              [] {
                                pair_cosines(torch::ones({2, 4}), torch::ones({3, 4}));
                              }),
            "pictures have embeddings [2, 4], their captions [3, 4]: expected as many of the same width");
}

TEST(Retrieval, RanksCountWhatScoresHigher) {
  const Tensor scores = torch::tensor({{0.9, 0.1, 0.2, 0.3}, {0.9, 0.5, 0.2, 0.6}, {0.1, 0.1, 0.1, 0.1}});
  EXPECT_TRUE(ranks_of_own(scores).equal(torch::tensor({1, 3, 1})));
  EXPECT_TRUE(ranks_of_own(scores, 1).equal(torch::tensor({4, 4, 1})));
  const Tensor ranks = torch::tensor({1, 3, 1, 7});
  EXPECT_EQ(recall_at(ranks, 1), 0.5);
  EXPECT_EQ(recall_at(ranks, 3), 0.75);
  EXPECT_EQ(median_rank(ranks), 1);
}

TEST(Retrieval, BlocksGiveWhatTheWholeGives) {
  const Tensor x = normal_noise({1, 1, 0}, {2500, 8}), y = x + 2 * normal_noise({2, 1, 0}, {2500, 8});
  const auto unit = [](const Tensor& t) { return t / t.norm(2, 1, true); };
  const Tensor whole = ranks_of_own(unit(x).matmul(unit(y).t()));
  EXPECT_GT(retrieval_ranks(x, y).eq(whole).to(torch::kFloat64).mean().item<double>(), 0.999);
}

TEST(Resample, SubsetsAreDifferentNumbers) {
  const Tensor all = random_subset(50, 50, {7, 1, 0});
  EXPECT_TRUE(std::get<0>(all.sort()).equal(torch::arange(50)));
  EXPECT_FALSE(all.equal(torch::arange(50)));
  EXPECT_TRUE(random_subset(50, 10, {7, 1, 0}).equal(all.slice(0, 0, 10)));
}

TEST(Resample, BootstrapOfAMeanIsItsStandardError) {
  const Tensor x = normal_noise({1, 1, 0}, {400});
  const Estimate mean = bootstrap_mean(x, {.resamples = 4000});
  const double half = 1.96 * x.std().item<double>() / std::sqrt(400.0);
  EXPECT_NEAR(mean.value, x.to(torch::kFloat64).mean().item<double>(), 1e-12);
  EXPECT_NEAR(mean.high - mean.value, half, 0.08 * half);
  EXPECT_NEAR(mean.value - mean.low, half, 0.08 * half);
  EXPECT_EQ(bootstrap_mean(x, {.resamples = 4000}).low, mean.low);
  EXPECT_NE(bootstrap_mean(x, {.resamples = 4000, .seed = 1}).low, mean.low);
}

}  // namespace
}  // namespace unclip::metrics
