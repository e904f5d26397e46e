#include "unclip/data/loader.h"

#include <gmock/gmock.h>

#include <set>

#include "data/sample_files.h"
#include "unclip/base/error.h"

namespace unclip::data {
namespace {

using testing::add_member;
using testing::DataFolder;
using testing::png_of;
using testing::shard_of;

constexpr LoaderSeed kSeed{.seed = 11};

LoaderConfig config_of(int64_t batch_size, int64_t workers = 2) {
  LoaderConfig config;
  config.batch_size = batch_size;
  config.workers = workers;
  config.picture = {.size = 8, .scale = 0.2, .shift = 0.2};
  return config;
}

void expect_same(const Batch& a, const Batch& b) {
  EXPECT_EQ(a.samples, b.samples);
  EXPECT_EQ(a.captions, b.captions);
  EXPECT_TRUE(torch::equal(a.pictures, b.pictures));
  EXPECT_EQ(a.next, b.next);
}

class LoaderTest : public ::testing::Test {
 protected:
  std::shared_ptr<const Dataset> open(const std::string& shard) const {
    folder_.write("s.tar", shard);
    return std::make_shared<const Dataset>(Dataset::open(folder_.source("s.tar")));
  }

  DataFolder folder_;
};

TEST_F(LoaderTest, GivesFullBatchesOverTheEndsOfEpochs) {
  Loader loader(open(shard_of(10)), config_of(4), kSeed);
  std::vector<int64_t> samples;
  for (int step = 0; step < 5; ++step) {
    const Batch batch = loader.next();
    EXPECT_EQ(batch.pictures.sizes(), (std::vector<int64_t>{4, 3, 8, 8}));
    EXPECT_TRUE(batch.pictures.is_contiguous(torch::MemoryFormat::ChannelsLast));
    EXPECT_FALSE(batch.low_res.has_value());
    for (size_t row = 0; row < 4; ++row) {
      EXPECT_THAT(batch.captions[row], ::testing::EndsWith(" of " + std::to_string(batch.samples[row])));
    }
    samples.insert(samples.end(), batch.samples.begin(), batch.samples.end());
  }
  EXPECT_EQ(std::set<int64_t>(samples.begin(), samples.begin() + 10).size(), 10U);
  EXPECT_EQ(std::set<int64_t>(samples.begin() + 10, samples.end()).size(), 10U);
  EXPECT_EQ(loader.state(), (LoaderState{1, 10}));
  EXPECT_EQ(loader.damage().count(), 0);
}

TEST_F(LoaderTest, ResumesExactly) {
  const auto dataset = open(shard_of(13));
  Loader straight(dataset, config_of(4), kSeed);
  std::vector<Batch> batches;
  for (int step = 0; step < 20; ++step) batches.push_back(straight.next());
  LoaderState saved;
  {
    Loader first(dataset, config_of(4), kSeed);
    for (size_t step = 0; step < 10; ++step) expect_same(first.next(), batches[step]);
    saved = first.state();
  }
  EXPECT_EQ(saved, batches[9].next);
  Loader second(dataset, config_of(4), kSeed, saved);
  for (size_t step = 10; step < 20; ++step) expect_same(second.next(), batches[step]);
}

TEST_F(LoaderTest, DoesNotDependOnThreadsCacheOrPrefetch) {
  const auto dataset = open(shard_of(13));
  LoaderConfig other = config_of(4, 1);
  other.cache_mb = 0;
  other.prefetch = 1;
  Loader a(dataset, config_of(4, 5), kSeed), b(dataset, other, kSeed);
  for (int step = 0; step < 12; ++step) expect_same(a.next(), b.next());
}

TEST_F(LoaderTest, VisitsDifferByEpochAndSeed) {
  const auto dataset = open(shard_of(1, 50));
  Loader a(dataset, config_of(8), kSeed), b(dataset, config_of(8), {.seed = 12});
  const Batch first = a.next(), other = b.next();
  EXPECT_GT(std::set(first.captions.begin(), first.captions.end()).size(), 3U);
  EXPECT_NE(first.captions, other.captions);
  EXPECT_FALSE(torch::equal(first.pictures, first.pictures[0].expand_as(first.pictures)));
}

TEST_F(LoaderTest, RanksShareAnEpochAndAgreeWithOneProcess) {
  const auto dataset = open(shard_of(12));
  Loader whole(dataset, config_of(12), kSeed);
  const Batch all = whole.next();
  for (int64_t rank = 0; rank < 3; ++rank) {
    Loader part(dataset, config_of(4), {.seed = 11, .rank = rank, .world_size = 3});
    const Batch share = part.next();
    for (int64_t i = 0; i < 4; ++i) {
      const int64_t place = 3 * i + rank;
      EXPECT_EQ(share.samples[static_cast<size_t>(i)], all.samples[static_cast<size_t>(place)]);
      EXPECT_TRUE(torch::equal(share.pictures[i], all.pictures[place]));
    }
  }
}

TEST_F(LoaderTest, ReplacesDamagedPicturesAndNamesThemOnce) {
  ArchiveBuilder builder;
  for (int64_t n = 0; n < 6; ++n) {
    const std::string picture = png_of(n);
    add_member(builder, std::to_string(n) + ".png", n % 2 == 0 ? picture : picture.substr(0, 40));
    add_member(builder, std::to_string(n) + ".txt", "number " + std::to_string(n));
  }
  const auto dataset = open(builder.finish());
  ASSERT_EQ(dataset->size(), 6);
  Loader loader(dataset, config_of(6), kSeed);
  for (int epoch = 0; epoch < 4; ++epoch) {
    const Batch batch = loader.next();
    for (size_t row = 0; row < 6; ++row) {
      EXPECT_EQ(batch.samples[row] % 2, 0);
      EXPECT_EQ(batch.captions[row], "number " + std::to_string(batch.samples[row]));
    }
  }
  EXPECT_EQ(loader.damage().count(), 3);
  EXPECT_EQ(loader.damage().entries().size(), 3U);
}

TEST_F(LoaderTest, SaysSoWhenNothingDecodes) {
  ArchiveBuilder builder;
  add_member(builder, "a.png", "no picture");
  add_member(builder, "a.txt", "a");
  Loader loader(open(builder.finish()), config_of(2), kSeed);
  EXPECT_THROW(loader.next(), Error);
  EXPECT_THROW(loader.next(), Error);
}

TEST_F(LoaderTest, GivesLowResolutionThroughTheDegradation) {
  LoaderConfig config = config_of(3);
  config.picture = {.size = 32, .low_res = 8, .crop = 8};
  const auto dataset = open(shard_of(5, 2, 1, 32));
  Loader plain(dataset, config, kSeed);
  Loader darkened(dataset, config, kSeed, {},
                  [](const torch::Tensor& low_res, const NoiseKey&) { return low_res.div(2, "floor"); });
  const Batch a = plain.next(), b = darkened.next();
  EXPECT_EQ(a.pictures.sizes(), (std::vector<int64_t>{3, 3, 8, 8}));
  EXPECT_EQ(a.low_res->sizes(), (std::vector<int64_t>{3, 3, 2, 2}));
  EXPECT_TRUE(torch::equal(a.pictures, b.pictures));
  EXPECT_TRUE(torch::equal(a.low_res->div(2, "floor"), *b.low_res));
}

TEST_F(LoaderTest, RefusesImpossibleSettings) {
  const auto dataset = open(shard_of(2));
  EXPECT_THROW(Loader(dataset, config_of(0), kSeed), Error);
  EXPECT_THROW(Loader(dataset, config_of(1), {.seed = 1, .rank = 2, .world_size = 2}), Error);
  EXPECT_THROW(Loader(dataset, config_of(1), kSeed, {0, 3}), Error);
  Loader starved(dataset, config_of(1), {.seed = 1, .rank = 0, .world_size = 3});
  EXPECT_THROW(starved.next(), Error);
}

TEST_F(LoaderTest, EndsWhileWorkersAreBusy) {
  const auto dataset = open(shard_of(20));
  for (int i = 0; i < 20; ++i) Loader loader(dataset, config_of(16, 4), kSeed);
}

}  // namespace
}  // namespace unclip::data
