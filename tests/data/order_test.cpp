#include "unclip/data/order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

namespace unclip::data {
namespace {

std::vector<int64_t> samples_of(const std::vector<Visit>& visits) {
  std::vector<int64_t> samples;
  for (const Visit& visit : visits) samples.push_back(visit.sample);
  return samples;
}

TEST(EpochOrder, IsAShuffleThatSeedAndEpochFix) {
  const std::vector<double> weights(1000, 1.0);
  const auto order = samples_of(epoch_order(weights, 7, 3));
  EXPECT_EQ(order, samples_of(epoch_order(weights, 7, 3)));
  EXPECT_NE(order, samples_of(epoch_order(weights, 7, 4)));
  EXPECT_NE(order, samples_of(epoch_order(weights, 8, 3)));
  EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
  auto sorted = order;
  std::sort(sorted.begin(), sorted.end());
  for (int64_t i = 0; i < 1000; ++i) EXPECT_EQ(sorted[static_cast<size_t>(i)], i);
}

TEST(EpochOrder, EveryPlaceIsEquallyLikely) {
  const std::vector<double> weights(4, 1.0);
  std::map<std::vector<int64_t>, int> counts;
  constexpr int kEpochs = 24000;
  for (int64_t epoch = 0; epoch < kEpochs; ++epoch) ++counts[samples_of(epoch_order(weights, 1, epoch))];
  EXPECT_EQ(counts.size(), 24U);                                                    // 4!
  for (const auto& [order, count] : counts) EXPECT_NEAR(count, kEpochs / 24, 160);  // 5 standard deviations
}

TEST(EpochOrder, WeightOneFifthAppearsOnceInAnyFiveEpochs) {
  std::vector<double> weights(300, 0.2);
  weights.resize(400, 1.0);
  weights.resize(410, 0.0);
  weights.resize(420, 3.0);
  std::vector<std::vector<int64_t>> counts;  // epoch → sample → appearances
  for (int64_t epoch = 0; epoch < 60; ++epoch) {
    auto& row = counts.emplace_back(weights.size());
    for (const Visit& visit : epoch_order(weights, 5, epoch)) ++row[static_cast<size_t>(visit.sample)];
  }
  for (size_t epoch = 0; epoch < counts.size(); ++epoch) {
    int64_t light = 0;
    for (size_t sample = 0; sample < weights.size(); ++sample) {
      const int64_t count = counts[epoch][sample];
      if (weights[sample] != 0.2) {
        EXPECT_EQ(count, weights[sample]);
        continue;
      }
      light += count;
      if (epoch + 5 > counts.size()) continue;
      int64_t in_five = 0;
      for (size_t later = epoch; later < epoch + 5; ++later) in_five += counts[later][sample];
      EXPECT_EQ(in_five, 1) << "sample " << sample << " from epoch " << epoch;
    }
    EXPECT_NEAR(light, 60, 2);  // epochs are about equally long
  }
}

TEST(RankShare, SharesAreDisjointEqualAndTogetherTheEpoch) {
  const std::vector<double> weights(103, 1.0);
  const auto order = epoch_order(weights, 7, 0);
  std::set<int64_t> seen;
  for (int64_t rank = 0; rank < 4; ++rank) {
    const auto share = rank_share(order, rank, 4);
    EXPECT_EQ(share.size(), 25U);
    for (const Visit& visit : share) {
      EXPECT_TRUE(seen.insert(visit.sample).second);
      EXPECT_EQ(order[static_cast<size_t>(visit.position)].sample, visit.sample);
    }
  }
  EXPECT_EQ(seen.size(), 100U);
}

}  // namespace
}  // namespace unclip::data
