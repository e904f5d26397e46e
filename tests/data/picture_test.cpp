#include "unclip/data/picture.h"

#include <gtest/gtest.h>

#include "data/sample_files.h"
#include "unclip/base/error.h"

namespace unclip::data {
namespace {

std::string encode(const torch::Tensor& pixels) {
  const auto bytes = image::encode_png(pixels.contiguous());
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

torch::Tensor square(const torch::Tensor& pixels, int64_t size) {
  const std::string stored = encode(pixels);
  return square_picture({reinterpret_cast<const uint8_t*>(stored.data()), stored.size()}, "test", size);
}

/// Every pixel differs: red tells x, green y.
torch::Tensor gradient(int64_t size) {
  const auto x = torch::arange(size, torch::kUInt8).expand({size, size});
  return torch::stack({x, x.t(), torch::full_like(x, 7)}, 2).contiguous();
}

TEST(SquarePicture, LeavesAFittingPictureAsItIs) {
  EXPECT_TRUE(torch::equal(square(gradient(16), 16), gradient(16)));
}

TEST(SquarePicture, CropsTheCentreOfTheLongerSide) {
  const auto wide =
      torch::cat({torch::zeros({8, 4, 3}), torch::full({8, 8, 3}, 100), torch::zeros({8, 4, 3})}, 1);
  EXPECT_TRUE(square(wide.to(torch::kUInt8), 8).eq(100).all().item<bool>());
  const auto tall = wide.to(torch::kUInt8).transpose(0, 1);
  EXPECT_TRUE(square(tall, 4).eq(100).all().item<bool>());
}

TEST(SquarePicture, AveragesWhenShrinkingAndPutsTransparencyOnWhite) {
  auto checks = torch::zeros({4, 4, 3}, torch::kUInt8);
  checks.slice(1, 0, 4, 2).fill_(200);
  EXPECT_TRUE(square(checks, 2).eq(100).all().item<bool>());
  const auto clear = torch::zeros({4, 4, 4}, torch::kUInt8);
  EXPECT_TRUE(square(clear, 4).eq(255).all().item<bool>());
}

TEST(SquarePicture, RefusesADamagedFile) {
  std::string stored = encode(gradient(16));
  stored.resize(stored.size() / 2);
  EXPECT_THROW(square_picture({reinterpret_cast<const uint8_t*>(stored.data()), stored.size()}, "test", 16),
               Error);
}

TEST(SamplePixels, WithoutAugmentationIsThePicture) {
  const SamplePixels pixels = sample_pixels(gradient(16), {.size = 16}, {});
  EXPECT_TRUE(torch::equal(pixels.picture, gradient(16)));
  EXPECT_FALSE(pixels.low_res.has_value());
}

TEST(SamplePixels, ShiftsOntoWhite) {
  const PictureConfig config{.size = 16, .shift = 0.25};
  const auto shifted = sample_pixels(gradient(16), config, {.shift_x = 1, .shift_y = 0.5}).picture;
  EXPECT_TRUE(torch::equal(shifted.slice(1, 0, 12), gradient(16).slice(1, 4, 16)));
  EXPECT_TRUE(shifted.slice(1, 12, 16).eq(255).all().item<bool>());
  const auto raised = sample_pixels(gradient(16), config, {.shift_x = 0.5, .shift_y = 0}).picture;
  EXPECT_TRUE(torch::equal(raised.slice(0, 4, 16), gradient(16).slice(0, 0, 12)));
}

TEST(SamplePixels, ScalesAboutTheCentre) {
  auto dot = torch::full({32, 32, 3}, 255, torch::kUInt8);
  dot.slice(0, 12, 20).slice(1, 12, 20).zero_();
  const PictureConfig config{.size = 32, .scale = 0.5};
  const auto ink = [&](double draw) {
    const auto picture = sample_pixels(dot, config, {.scale = draw}).picture.to(torch::kFloat64);
    return (255 - picture).sum().item<double>() / (255 * 3);
  };
  EXPECT_NEAR(ink(0), 64 / 2.25, 1);
  EXPECT_EQ(ink(0.5), 64);
  EXPECT_NEAR(ink(1), 64 * 2.25, 12);
}

TEST(SamplePixels, FlipsByChance) {
  const PictureConfig config{.size = 16, .flip = 0.5};
  EXPECT_TRUE(torch::equal(sample_pixels(gradient(16), config, {.flip = 0.4}).picture, gradient(16).flip(1)));
  EXPECT_TRUE(torch::equal(sample_pixels(gradient(16), config, {.flip = 0.6}).picture, gradient(16)));
}

TEST(SamplePixels, CropsHighAndLowResolutionAtTheSamePlace) {
  const PictureConfig config{.size = 64, .low_res = 16, .crop = 16};
  EXPECT_EQ(config.picture_side(), 16);
  EXPECT_EQ(config.low_res_side(), 4);
  for (const auto& [crop_x, crop_y, left, top] :
       {std::tuple{0.0, 0.0, 0, 0}, std::tuple{0.999, 0.5, 48, 24}}) {
    const SamplePixels pixels = sample_pixels(gradient(64), config, {.crop_x = crop_x, .crop_y = crop_y});
    EXPECT_TRUE(torch::equal(pixels.picture, gradient(64).slice(0, top, top + 16).slice(1, left, left + 16)));
    const auto averaged = pixels.picture.to(torch::kFloat32).reshape({4, 4, 4, 4, 3}).mean({1, 3});
    EXPECT_LE((pixels.low_res->to(torch::kFloat32) - averaged).abs().max().item<float>(), 0.51F);
  }
}

TEST(PictureConfig, RefusesWhatDoesNotFit) {
  for (const PictureConfig& config :
       {PictureConfig{.size = 0}, PictureConfig{.scale = 0.9}, PictureConfig{.shift = -1},
        PictureConfig{.flip = 2}, PictureConfig{.size = 64, .low_res = 48},
        PictureConfig{.size = 64, .low_res = 16, .crop = 18}, PictureConfig{.size = 64, .crop = 65}}) {
    EXPECT_THROW(config.validate(), Error);
  }
  EXPECT_NO_THROW((PictureConfig{.size = 256, .low_res = 64, .crop = 64}.validate()));
}

}  // namespace
}  // namespace unclip::data
