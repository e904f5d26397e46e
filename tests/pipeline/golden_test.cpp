// The bundled model draws what it drew when it was made: tests/fixtures/golden/*.png, written by
//   unclip generate CAPTION --seed SEED --size SIZE --dtype fp32 -o NAME.png
#include <gtest/gtest.h>

#include "unclip/image/decode.h"
#include "unclip/image/network.h"
#include "unclip/pipeline/unclip.h"

namespace unclip::pipeline {
namespace {

struct Golden {
  const char* name;
  const char* caption;
  uint64_t seed;
  int64_t size;
};

class GoldenPicture : public ::testing::TestWithParam<Golden> {};

TEST_P(GoldenPicture, IsDrawnAgain) {
  const Golden& golden = GetParam();
  Unclip model(UNCLIP_SOURCE_DIR "/models/emoji", torch::kFloat32);
  const Pictures pictures = model.generate(
      {.captions = {golden.caption}, .seeds = {golden.seed}, .sampling = {.size = golden.size}},
      *silent_progress());
  const torch::Tensor drawn = image::to_pixels(pictures.pictures)[0].to(torch::kFloat32);
  const std::string file = join_text(UNCLIP_FIXTURES, "/golden/", golden.name, ".png");
  const torch::Tensor expected = image::read_picture(file).pixels.to(torch::kFloat32);
  ASSERT_EQ(drawn.sizes(), expected.sizes());
  const torch::Tensor difference = (drawn - expected).abs();
  EXPECT_LT(difference.mean().item<double>(), 1.0);  // of 255: other processors add in another order
  EXPECT_LT(difference.quantile(0.999).item<double>(), 12.0);
  EXPECT_GT(expected.std().item<double>(), 20.0) << "the golden picture is empty";
}

INSTANTIATE_TEST_SUITE_P(BundledModel,
                         GoldenPicture,
                         ::testing::Values(Golden{"heart", "a red heart", 7, 256},
                                           Golden{"pizza", "pizza, twemoji style", 1, 64},
                                           Golden{"cat", "cat face, noto style", 3, 64}),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace unclip::pipeline
