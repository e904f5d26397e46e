// Features of pictures on disk: damage, kept parts, feature files.
#include "unclip/eval/feature_set.h"

#include "data/sample_files.h"
#include "support/close.h"
#include "support/error_of.h"
#include "unclip/image/network.h"
#include "unclip/io/safetensors.h"

namespace unclip::eval {
namespace {

using testing::error_of;

/// Mean colours, and how many pictures it was asked for.
class MeanColour final : public FeatureExtractor {
 public:
  std::string name() const override { return "mean colour"; }
  std::string identity() const override { return "mean colour 1"; }
  int64_t width() const override { return 3; }
  torch::Tensor prepare(const torch::Tensor& pixels) const override {
    return image::to_network(pixels).mean({2, 3}, true);
  }
  torch::Tensor features(const torch::Tensor& inputs) const override {
    seen += inputs.size(0);
    return inputs.flatten(1);
  }
  mutable int64_t seen = 0;
};

class Extract : public ::testing::Test {
 protected:
  Extract() {
    for (int64_t i = 0; i < 300; ++i)  // more than a part
      folder_.write("pictures/" + std::to_string(1000 + i) + ".png", testing::png_of(i, i == 7 ? 12 : 8));
  }
  FeatureSet extract_from(const std::string& name, const ExtractOptions& options = {}) {
    const data::Dataset dataset = data::Dataset::open(folder_.source(name), {.require_captions = false});
    return extract(pictures_of(dataset), extractor_, options, *silent_progress());
  }
  testing::DataFolder folder_;
  MeanColour extractor_;
};

TEST_F(Extract, SeesEveryPictureInOrder) {
  const FeatureSet set = extract_from("pictures");
  ASSERT_EQ(set.count(), 300);
  const auto expected = [](int64_t i) {
    return torch::tensor({i % 256, (i * 37) % 256, (i * 101) % 256}).to(torch::kFloat32) / 127.5 - 1;
  };
  for (const int64_t i : {0, 7, 255, 256, 299}) EXPECT_CLOSE(set.features[i], expected(i));
  EXPECT_EQ(set.smallest_side, 8);
  EXPECT_EQ(set.largest_side, 12);
  EXPECT_EQ(set.damaged, 0);
}

TEST_F(Extract, NamesDamagedPicturesOnceAndLeavesThemOut) {
  folder_.write("pictures/1003.png", "no picture");
  const ExtractOptions options{.cache = folder_ / "cache"};
  for (int run = 0; run < 2; ++run) {  // made, then kept
    const FeatureSet set = extract_from("pictures", options);
    EXPECT_EQ(set.count(), 299);
    EXPECT_EQ(set.samples[3], 4);
    EXPECT_EQ(set.damaged, 1);
    ASSERT_EQ(set.damage.size(), 1U);
    EXPECT_EQ(set.damage[0].name, "1003");
  }
}

TEST_F(Extract, KeepsFinishedParts) {
  const ExtractOptions options{.cache = folder_ / "cache"};
  const FeatureSet first = extract_from("pictures", options);
  EXPECT_EQ(extractor_.seen, 300);
  const FeatureSet again = extract_from("pictures", options);
  EXPECT_EQ(extractor_.seen, 300);
  EXPECT_TRUE(again.features.equal(first.features));
  EXPECT_EQ(again.largest_side, 12);
  // A picture that changed is looked at again, with its part; so are all at another size.
  folder_.write("pictures/1299.png", testing::png_of(1));
  EXPECT_CLOSE(extract_from("pictures", options).features[299], first.features[1]);
  EXPECT_EQ(extractor_.seen, 300 + 44);
  extract_from("pictures", {.size = 4, .cache = folder_ / "cache"});
  EXPECT_EQ(extractor_.seen, 300 + 44 + 300);
}

TEST_F(Extract, WithoutUsablePicturesIsAnError) {
  folder_.write("broken/a.png", "no picture");
  const std::string message = error_of(ErrorKind::data, [&] { extract_from("broken"); });
  EXPECT_TRUE(message.starts_with("none of the 1 pictures can be used: ")) << message;
}

TEST_F(Extract, FeatureFilesComeBack) {
  const FeatureSet set = extract_from("pictures");
  const auto file = folder_ / "real.safetensors";
  save_features(file, set);
  const FeatureSet loaded = load_features(file);
  EXPECT_TRUE(loaded.features.equal(set.features));
  EXPECT_EQ(loaded.made_by, "mean colour");
  check_comparable(loaded, set);
  FeatureSet other = loaded;
  other.features = other.features.slice(1, 0, 2);
  EXPECT_EQ(
      error_of(ErrorKind::data, [&] { check_comparable(other, set); }),
      "features of 'mean colour' (width 2) cannot be compared with features of 'mean colour' (width 3): "
      "make both with the same --features");
  io::write_safetensors(file, {{"features", set.features}});
  EXPECT_NE(error_of(ErrorKind::checkpoint, [&] { load_features(file); }).find("is no feature file"),
            std::string::npos);
}

}  // namespace
}  // namespace unclip::eval
