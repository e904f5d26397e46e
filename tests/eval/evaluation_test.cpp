// A whole evaluation with a tiny model: what it finds, and that a second run goes on where the first one
// ended.
#include "unclip/eval/evaluation.h"

#include <gmock/gmock.h>

#include <cmath>

#include "data/sample_files.h"
#include "support/close.h"
#include "support/error_of.h"
#include "support/tiny_model.h"
#include "unclip/io/safetensors.h"

namespace unclip::eval {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class Whole : public ::testing::Test {
 protected:
  Whole() {
    testing::write_tiny_model(folder_ / "model");
    folder_.write("data.tar", testing::shard_of(12, 1, 1, 16));
    reference_.real = folder_.source("data.tar");
    reference_.features = folder_ / "model";
    reference_.size = 16;
    reference_.folder = folder_ / "evaluation";
    trial_.model = folder_ / "model";
    trial_.n = 70;  // more than a shard, more than there are captions
    trial_.guidance = {1, 3};
    trial_.sampling.size = 16;
  }
  std::map<fs::path, fs::file_time_type> files() const {
    std::map<fs::path, fs::file_time_type> result;
    for (const auto& entry : fs::recursive_directory_iterator(reference_.folder)) {
      if (entry.is_regular_file()) result[entry.path()] = entry.last_write_time();
    }
    return result;
  }
  testing::DataFolder folder_;
  EvalReference reference_;
  EvalRun trial_;
};

TEST_F(Whole, OfAModelSweepsGuidanceAndGoesOn) {
  const Evaluation evaluation = evaluate_model(reference_, trial_, *silent_progress());
  ASSERT_EQ(evaluation.points.size(), 2U);
  EXPECT_EQ(evaluation.points[0].name, "guidance 1");
  EXPECT_EQ(evaluation.points[1].guidance, 3);
  const Comparison& one = evaluation.points[0].comparison;
  EXPECT_EQ(one.drawn, 70);
  EXPECT_EQ(one.real, 12);
  EXPECT_TRUE(one.is_biased);
  ASSERT_EQ(evaluation.warnings.size(), 1U);
  EXPECT_THAT(evaluation.warnings[0],
              HasSubstr("fewer pictures (70 drawn, 12 real) than feature dimensions (16)"));
  ASSERT_TRUE(one.captions.has_value());
  EXPECT_GT(one.frechet_distance, 0);
  EXPECT_NE(one.frechet_distance, evaluation.points[1].comparison.frechet_distance);

  const auto before = files();
  EXPECT_EQ(before.size(), 2U * 2 + 3);  // two shards each; parts of features of both and of the data
  const Evaluation again = evaluate_model(reference_, trial_, *silent_progress());
  EXPECT_EQ(files(), before);
  EXPECT_EQ(again.points[1].comparison.frechet_distance, evaluation.points[1].comparison.frechet_distance);

  fs::remove(before.begin()->first);  // as if interrupted
  const Evaluation resumed = evaluate_model(reference_, trial_, *silent_progress());
  EXPECT_EQ(files().size(), before.size());
  EXPECT_EQ(resumed.points[0].comparison.frechet_distance, one.frechet_distance);

  trial_.settings = "another";
  evaluate_model(reference_, trial_, *silent_progress());
  EXPECT_GT(files().size(), before.size());
}

TEST_F(Whole, OfPicturesWithThemselvesFindsNoDifference) {
  const Evaluation evaluation = evaluate_pictures(reference_, reference_.real, *silent_progress());
  const Comparison& same = evaluation.points.front().comparison;
  EXPECT_NEAR(same.frechet_distance, 0, 1e-6);
  EXPECT_EQ(same.precision.value, 1);
  EXPECT_EQ(same.recall.value, 1);
  EXPECT_EQ(same.coverage.value, 1);
  ASSERT_TRUE(same.captions.has_value());
}

TEST_F(Whole, TellsProbesWhatTheyWereGiven) {
  std::string ratings = "file_name,rating\n", pairs = "better,worse\n";
  for (int64_t i = 0; i < 12; ++i) {
    const std::string name = std::to_string(i) + ".png";
    folder_.write("rated/" + name, testing::png_of(i, 16));
    ratings += name + "," + std::to_string(i) + "\n";
    if (i > 0) pairs += name + "," + std::to_string(i - 1) + ".png\n";
  }
  folder_.write("rated/ratings.csv", ratings);
  folder_.write("rated/pairs.csv", pairs);
  reference_.ratings = folder_ / "rated/ratings.csv";
  reference_.comparisons = folder_ / "rated/pairs.csv";
  const Evaluation evaluation = evaluate_pictures(reference_, folder_.source("rated"), *silent_progress());
  ASSERT_EQ(evaluation.probes.size(), 2U);
  EXPECT_EQ(evaluation.probes[0].examples, 12);
  EXPECT_EQ(evaluation.probes[1].examples, 11);
  EXPECT_TRUE(std::isfinite(evaluation.probes[1].quality));
  // A regression with a free intercept has the mean of what it was fitted to.
  EXPECT_NEAR(evaluation.points[0].comparison.probes[0].second.value, 5.5, 1e-6);

  folder_.write("rated/ratings.csv", "file_name,rating\n0.png,good\n");
  EXPECT_THAT(testing::error_of(ErrorKind::data,
                                [&] { evaluate_pictures(reference_, reference_.real, *silent_progress()); }),
              HasSubstr("the rating 'good' is no number"));
}

TEST_F(Whole, TakesTheClipOfAnotherLibraryForFeatures) {
  const fs::path released = fs::path(UNCLIP_FIXTURES) / "clip" / "released";
  reference_.vocabulary = fs::path(UNCLIP_SOURCE_DIR) / "assets" / "clip-tokenizer";
  for (const char* name : {"hf_quick_gelu", "open_clip_gelu", "openai/tiny.pt"}) {
    reference_.features = released / name;
    const auto extractor = open_extractor(reference_.features, reference_.vocabulary, torch::kFloat32);
    // What its library computes of a recorded picture.
    const io::SafetensorsFile expected(
        (fs::is_directory(reference_.features) ? reference_.features : reference_.features.parent_path()) /
        "expected.safetensors");
    EXPECT_CLOSE(extractor->features(extractor->prepare(expected.tensor("pixels_0"))),
                 expected.tensor("image_embeds").slice(0, 0, 1));
    const Evaluation evaluation = evaluate_pictures(reference_, reference_.real, *silent_progress());
    EXPECT_EQ(evaluation.features, extractor->name());
    EXPECT_EQ(evaluation.clip, extractor->name());
    EXPECT_NEAR(evaluation.points.front().comparison.frechet_distance, 0, 1e-6) << name;
    EXPECT_TRUE(evaluation.points.front().comparison.captions.has_value());
  }
}

TEST_F(Whole, WritesResultsAndReport) {
  const Evaluation evaluation = evaluate_model(reference_, trial_, *silent_progress());
  const std::string html = report_html(evaluation, "unclip eval <x>");
  for (const char* words : {"unclip eval &lt;x&gt;", "Fréchet distance (FID)", "<svg",
                            "data:image/png;base64", "guidance 3", "caption 0 of "})
    EXPECT_THAT(html, HasSubstr(words));
  const std::string json = results_json(evaluation, "unclip eval");
  for (const char* words : {"\"guidance\": 3.0", "\"fid\"", "\"median_rank\"", "\"biased\": true"})
    EXPECT_THAT(json, HasSubstr(words));
}

TEST_F(Whole, NeedsPicturesOfItsNetworkAndEnoughOfThem) {
  folder_.write("few.tar", testing::shard_of(3, 1, 1, 16));
  EXPECT_EQ(testing::error_of(
                ErrorKind::data,
                [&] { evaluate_pictures(reference_, folder_.source("few.tar"), *silent_progress()); }),
            "there are 3 pictures, expected at least 4: the 3 nearest neighbours of each are looked for");
  FeatureSet other{
      .made_by = "CLIP of other 1", .features = torch::zeros({9, 4}), .samples = {}, .damage = {}};
  save_features(folder_ / "other.safetensors", other);
  reference_.real = folder_.source("other.safetensors");
  EXPECT_THAT(
      testing::error_of(
          ErrorKind::data,
          [&] { evaluate_pictures(reference_, folder_.source("data.tar"), *silent_progress()); }),
      HasSubstr(
          "holds features of 'CLIP of other 1' (width 4), expected those of 'CLIP of tiny 1' (width 16)"));
}

}  // namespace
}  // namespace unclip::eval
