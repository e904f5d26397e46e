#include "unclip/data/pack.h"

#include <gmock/gmock.h>

#include <iterator>

#include "data/sample_files.h"
#include "unclip/base/error.h"
#include "unclip/data/inspect.h"

namespace unclip::data {
namespace {

using testing::DataFolder;
using ::testing::ElementsAre;
using testing::png_of;

std::string read(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// Five pictures, one a copy of another, one damaged, one wide and transparent.
class PackAndInspect : public ::testing::Test {
 protected:
  void SetUp() override {
    in_.write("a.png", png_of(1));
    in_.write("a.txt", "one\nuno");
    in_.write("b.png", png_of(2, 16));
    in_.write("b.json", R"({"captions": ["two"], "weight": 0.5, "style": "flat"})");
    in_.write("c/d.png", png_of(1));
    in_.write("c/d.txt", "one");
    in_.write("e.png", png_of(5).substr(0, 30));
    in_.write("e.txt", "broken");
    const auto clear = image::encode_png(torch::zeros({4, 12, 4}, torch::kUInt8));
    in_.write("f.png", {reinterpret_cast<const char*>(clear.data()), clear.size()});
    in_.write("f.txt", "a much longer caption than the others");
    in_.write("lonely.png", png_of(9));
  }
  Dataset open() const { return Dataset::open(in_.source()); }

  DataFolder in_, out_;
};

TEST_F(PackAndInspect, PackedSamplesAreTheSame) {
  const Dataset dataset = open();
  const PackReport report =
      pack(dataset, out_ / "shards", {.prefix = "p", .samples_per_shard = 3}, *silent_progress());
  EXPECT_EQ(report.samples, 4);
  EXPECT_EQ(report.damaged, 1);
  ASSERT_EQ(report.shards.size(), 2U);
  EXPECT_EQ(report.shards[1].filename(), "p-00001.tar");
  const Dataset packed = Dataset::open(out_.source("shards/p-*.tar"));
  ASSERT_EQ(packed.size(), 4);
  const int64_t kept[] = {0, 1, 2, 4};  // e does not decode
  for (int64_t i = 0; i < 4; ++i) {
    const Sample before = dataset.sample(kept[i]), after = packed.sample(i);
    EXPECT_EQ(after.picture.text(), before.picture.text());
    EXPECT_EQ(after.captions, before.captions);
    EXPECT_EQ(after.weight, before.weight);
    EXPECT_THAT(after.json, ::testing::HasSubstr("\"key\":\"" + before.key + "\""));
  }
  EXPECT_THAT(packed.sample(1).json, ::testing::HasSubstr("\"style\":\"flat\""));
}

TEST_F(PackAndInspect, PackIsDeterministicAndNeverOverwritesUnasked) {
  const Dataset dataset = open();
  const auto first = pack(dataset, out_ / "a", {}, *silent_progress()).shards[0];
  const auto second = pack(dataset, out_ / "b", {}, *silent_progress()).shards[0];
  EXPECT_EQ(read(first), read(second));
  EXPECT_THROW(pack(dataset, out_ / "a", {}, *silent_progress()), Error);
  EXPECT_NO_THROW(pack(dataset, out_ / "a", {.overwrite = true}, *silent_progress()));
  in_.write("plain", "");
  EXPECT_THROW(pack(dataset, in_ / "plain", {}, *silent_progress()), Error);
  EXPECT_THROW(pack(dataset, out_ / "a", {.prefix = "../x"}, *silent_progress()), Error);
}

TEST_F(PackAndInspect, InspectCounts) {
  const DatasetReport report = inspect(open(), *silent_progress());
  EXPECT_EQ(report.samples, 4);
  EXPECT_EQ(report.without_caption, 1);
  EXPECT_EQ(report.visits_per_epoch, 3.5);
  const std::map<std::pair<int64_t, int64_t>, int64_t> sizes = {{{8, 8}, 2}, {{16, 16}, 1}, {{12, 4}, 1}};
  EXPECT_EQ(report.sizes, sizes);
  EXPECT_EQ(report.formats.at("png"), 4);
  EXPECT_EQ(report.transparent, 1);
  EXPECT_EQ(report.captions, 5);
  EXPECT_EQ(report.distinct_captions, 4);
  EXPECT_EQ(report.fewest_captions, 1);
  EXPECT_EQ(report.most_captions, 2);
  EXPECT_EQ(report.longest_captions.front(), "a much longer caption than the others");
  EXPECT_EQ(report.duplicates, 1);
  EXPECT_THAT(report.duplicate_pairs, ElementsAre(std::pair<std::string, std::string>{"a", "c/d"}));
  EXPECT_EQ(report.damaged, 1);
  EXPECT_EQ(report.damage.at(0).name, "e");
}

}  // namespace
}  // namespace unclip::data
