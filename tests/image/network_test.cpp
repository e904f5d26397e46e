#include "unclip/image/network.h"

#include <gmock/gmock.h>

#include <limits>

#include "support/close.h"
#include "support/error_of.h"
#include "unclip/io/safetensors.h"

namespace unclip::image {
namespace {

using testing::error_of;
using ::testing::HasSubstr;

TEST(Network, EveryLevelComesBack) {
  const torch::Tensor levels = torch::arange(256).to(torch::kUInt8).reshape({16, 16, 1}).expand({16, 16, 3});
  const torch::Tensor x = to_network(levels);
  EXPECT_EQ(x.sizes(), torch::IntArrayRef({1, 3, 16, 16}));
  EXPECT_EQ(x.min().item<float>(), -1);
  EXPECT_EQ(x.max().item<float>(), 1);
  EXPECT_TRUE(torch::equal(to_pixels(x)[0], levels));
  EXPECT_TRUE(torch::equal(to_pixels(x.to(torch::kFloat64))[0], levels));
}

TEST(Network, KeepsChannelsAndPlaces) {
  torch::Tensor pixels = torch::zeros({2, 3, 3}, torch::kUInt8);
  pixels[1][2][0] = 255;
  const torch::Tensor x = to_network(pixels);
  EXPECT_EQ(x[0][0][1][2].item<float>(), 1);
  EXPECT_EQ(x.sum().item<float>(), -16);
}

TEST(Network, ClampsAndRounds) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  const torch::Tensor x =
      torch::tensor({nan, -inf, inf, -5.0F, 5.0F, 0.001F}).reshape({1, 1, 1, 6}).expand({1, 3, 1, 6});
  const torch::Tensor expected = torch::tensor({0, 0, 255, 0, 255, 128}).to(torch::kUInt8);
  EXPECT_TRUE(torch::equal(to_pixels(x)[0][0].select(1, 0), expected));
}

TEST(Network, RefusesOtherShapes) {
  EXPECT_THAT(error_of(ErrorKind::shape,
                       [] {
                         to_network(torch::zeros({4, 4, 4}, torch::kUInt8));
                       }),
              HasSubstr("flatten_on"));
  EXPECT_THAT(error_of(ErrorKind::shape,
                       [] {
                         to_pixels(torch::zeros({3, 4, 4}));
                       }),
              HasSubstr("[N, 3, H, W]"));
  EXPECT_THAT(error_of(ErrorKind::shape,
                       [] {
                         to_pixels(torch::zeros({1, 3, 4, 4}, torch::kInt32));
                       }),
              HasSubstr("floating"));
}

TEST(ClipPreprocess, EqualsTransformers) {
  const std::filesystem::path fixtures = UNCLIP_FIXTURES;
  const io::SafetensorsFile fixture(fixtures / "image" / "clip_preprocess.safetensors");
  int64_t compared = 0;
  for (const auto& [name, entry] : fixture.entries()) {
    if (!name.ends_with(".in")) continue;
    const torch::Tensor expected = fixture.tensor(name.substr(0, name.size() - 2) + "out");
    EXPECT_CLOSE(clip_preprocess(fixture.tensor(name), 32)[0], expected, {.absolute = 1e-6, .relative = 1e-6})
        << name;
    ++compared;
  }
  EXPECT_GE(compared, 8);
}

}  // namespace
}  // namespace unclip::image
