#include "unclip/pipeline/inpainting.h"

#include <gmock/gmock.h>

#include "support/close.h"
#include "support/error_of.h"
#include "support/tiny_model.h"
#include "unclip/image/decode.h"
#include "unclip/image/encode.h"

namespace unclip::pipeline {
namespace {

using testing::error_of;
using torch::Tensor;

class InpaintingTest : public ::testing::Test {
 protected:
  InpaintingTest() { testing::write_tiny_model(folder_ / "model"); }
  Unclip open() { return {folder_ / "model", torch::kFloat32}; }
  static Tensor pixels(int64_t height, int64_t width, int64_t channels = 3) {
    return (uniform_noise({1, 1, 1}, {height, width, channels}) * 256).to(torch::kUInt8);
  }
  static Tensor hole(int64_t height, int64_t width) {
    Tensor mask = torch::zeros({height, width}, torch::kBool);
    mask.slice(0, height / 3).slice(1, 0, width - width / 4).fill_(true);
    return mask;
  }
  InpaintRequest request(const Tensor& picture, const Tensor& mask) {
    return {.picture = picture,
            .mask = mask,
            .caption = "a red heart",
            .seeds = {1},
            .method = InpaintMethod::best,
            .options = {.jump_length = 2, .resamplings = 2},
            .sampling = {.steps = "4", .size = 32}};
  }
  /// Everything outside of the mask has its bits, everything inside is drawn.
  void expect_exact(const Tensor& picture, const Tensor& mask) {
    Unclip model = open();
    const Inpainted drawn = inpaint(model, request(picture, mask), *silent_progress());
    ASSERT_EQ(drawn.pictures.size(), 1U);
    const Tensor& result = drawn.pictures[0];
    ASSERT_EQ(result.sizes(), picture.sizes());
    const Tensor known = mask.logical_not();
    EXPECT_TRUE(torch::equal(result.index({known}), picture.index({known}))) << picture.sizes();
    EXPECT_FALSE(torch::equal(result.index({mask}), picture.index({mask}))) << picture.sizes();
  }
  testing::TemporaryFolder folder_;
};

TEST_F(InpaintingTest, KnownPixelsKeepTheirBitsAtAnySize) {
  for (const auto& [height, width] : {std::pair{32L, 32L}, {7L, 5L}, {33L, 64L}, {101L, 47L}, {16L, 16L}})
    expect_exact(pixels(height, width), hole(height, width));
}

TEST_F(InpaintingTest, TransparentPicturesKeepTheirAlpha) {
  const Tensor picture = pixels(23, 31, 4), mask = hole(23, 31);
  expect_exact(picture, mask);
  Unclip model = open();
  const Tensor result = inpaint(model, request(picture, mask), *silent_progress()).pictures[0];
  EXPECT_TRUE((result.select(2, 3).index({mask}) == 255).all().item<bool>());
}

TEST_F(InpaintingTest, AJpegsDecodedPixelsStay) {
  const auto file = folder_ / "picture.jpg";
  image::write_picture(file, pixels(40, 24));
  expect_exact(image::read_picture(file).pixels, hole(40, 24));
}

TEST_F(InpaintingTest, ASinglePixelAndAllPixelsCanBeRepainted) {
  Tensor one = torch::zeros({20, 20}, torch::kBool);
  one[19][0] = true;
  expect_exact(pixels(20, 20), one);
  Unclip model = open();
  const Tensor all = torch::ones({20, 20}, torch::kBool);
  EXPECT_EQ(inpaint(model, request(pixels(20, 20), all), *silent_progress()).pictures[0].sizes(),
            (std::vector<int64_t>{20, 20, 3}));
}

TEST_F(InpaintingTest, SameSeedSamePictureInAnyBatch) {
  Unclip model = open();
  InpaintRequest many = request(pixels(20, 20), hole(20, 20));
  many.seeds = {4, 5, 6};
  const auto all = inpaint(model, many, *silent_progress()).pictures;
  many.seeds = {5};
  const auto alone = inpaint(model, many, *silent_progress()).pictures;
  EXPECT_CLOSE(alone[0].to(torch::kInt), all[1].to(torch::kInt), {.absolute = 1, .relative = 0});
  EXPECT_FALSE(torch::equal(all[0], all[1]));
}

TEST_F(InpaintingTest, TheTrainedStageIsUsedWhereThereIsOne) {
  const InpaintRequest asked = request(pixels(20, 20), hole(20, 20));
  Unclip without = open();
  InpaintRequest finetuned = asked;
  finetuned.method = InpaintMethod::finetuned;
  EXPECT_THAT(error_of(ErrorKind::checkpoint, [&] { inpaint(without, finetuned, *silent_progress()); }),
              ::testing::HasSubstr("has no stage 'decoder_inpaint'"));
  const Tensor resampled = inpaint(without, asked, *silent_progress()).pictures[0];

  auto config = model::read_stage_config<decoder::DecoderConfig>(folder_ / "model/decoder");
  config.unet.in_channels = 7;
  config.inpaint = true;
  testing::write_stage<decoder::Decoder>(folder_ / "model/decoder_inpaint", config);
  model::Manifest manifest = without.model().manifest;
  manifest.stages["decoder_inpaint"] = "decoder_inpaint";
  model::write_manifest(folder_ / "model", manifest);
  Unclip with = open();
  const Tensor best = inpaint(with, asked, *silent_progress()).pictures[0];
  EXPECT_FALSE(torch::equal(best, resampled));
  EXPECT_TRUE(torch::equal(inpaint(with, finetuned, *silent_progress()).pictures[0], best));
  InpaintRequest resampling = asked;
  resampling.method = InpaintMethod::resampling;
  EXPECT_TRUE(torch::equal(inpaint(with, resampling, *silent_progress()).pictures[0], resampled));
}

TEST_F(InpaintingTest, AMaskOfAnotherSizeIsAnError) {
  Unclip model = open();
  EXPECT_THAT(error_of(ErrorKind::data,
                       [&] { inpaint(model, request(pixels(20, 20), hole(21, 20)), *silent_progress()); }),
              ::testing::HasSubstr("they must be of one size"));
}

}  // namespace
}  // namespace unclip::pipeline
