#include "unclip/image/degrade.h"

#include <ATen/Parallel.h>
#include <gmock/gmock.h>

#include "support/close.h"
#include "support/error_of.h"
#include "unclip/image/resize.h"

namespace unclip::image {
namespace {

using testing::error_of;
using ::testing::HasSubstr;

/// Smooth, so that what a degradation does stands out: two waves and an edge.
torch::Tensor scene(int64_t height, int64_t width) {
  const auto y = torch::linspace(0, 6, height).reshape({-1, 1}).expand({height, width});
  const auto x = torch::linspace(0, 6, width).reshape({1, -1}).expand({height, width});
  const auto planes = torch::stack({y.sin(), x.cos(), (x - y).sign() * 0.8}, 2);
  return planes.mul(100).add(128).to(torch::kUInt8);
}

double mean_difference(const torch::Tensor& a, const torch::Tensor& b) {
  return (a.to(torch::kFloat32) - b.to(torch::kFloat32)).abs().mean().item<double>();
}

TEST(GaussianBlur, HasTheWeightsOfTheGaussian) {
  torch::Tensor x = torch::zeros({1, 1, 5, 5});
  x[0][0][2][2] = 1;
  const torch::Tensor y = gaussian_blur(x);
  const double side = std::exp(-0.5 / 0.36), sum = 1 + 2 * side;
  EXPECT_NEAR(y[0][0][2][2].item<double>(), 1 / (sum * sum), 1e-6);
  EXPECT_NEAR(y[0][0][2][1].item<double>(), side / (sum * sum), 1e-6);
  EXPECT_NEAR(y[0][0][3][1].item<double>(), side * side / (sum * sum), 1e-6);
  EXPECT_EQ(y[0][0][0][2].item<double>(), 0);
}

TEST(GaussianBlur, ReflectsAtTheBorders) {
  const torch::Tensor x = torch::arange(12, torch::kFloat32).reshape({1, 1, 3, 4});
  const torch::Tensor padded = at::reflection_pad2d(x, {1, 1, 1, 1});
  EXPECT_CLOSE(gaussian_blur(x), gaussian_blur(padded).slice(2, 1, 4).slice(3, 1, 5));
  EXPECT_CLOSE(gaussian_blur(torch::ones({2, 3, 1, 1})),
               torch::ones({2, 3, 1, 1}));  // smaller than its border
  EXPECT_EQ(gaussian_blur(x.to(torch::kFloat64)).scalar_type(), torch::kFloat64);
  EXPECT_THAT(error_of(ErrorKind::shape, [&] { gaussian_blur(x, {.kernel = 4}); }), HasSubstr("odd kernel"));
  EXPECT_THAT(error_of(ErrorKind::shape, [&] { gaussian_blur(x[0]); }), HasSubstr("[N, C, H, W]"));
}

TEST(BsrDegrade, SpoilsTheSameWayForTheSameKey) {
  const torch::Tensor picture = scene(64, 80);
  const NoiseKey key{1, stream_id("test"), 5};
  const torch::Tensor spoilt = bsr_degrade(picture, 4, key);
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const torch::Tensor alone = bsr_degrade(picture, 4, key);
  at::set_num_threads(threads);
  EXPECT_TRUE(torch::equal(spoilt, alone));
  for (const NoiseKey& other :
       {NoiseKey{2, key.stream, 5}, NoiseKey{1, key.stream + 1, 5}, NoiseKey{1, key.stream, 6}}) {
    EXPECT_FALSE(torch::equal(spoilt, bsr_degrade(picture, 4, other)));
  }
}

TEST(BsrDegrade, MakesASmallerPictureOfTheSameScene) {
  for (const int64_t factor : {1, 2, 4}) {
    const torch::Tensor picture = scene(67, 81);
    const int64_t height = 67 / factor, width = 81 / factor;
    const torch::Tensor clean =
        resize(picture.slice(0, 0, height * factor).slice(1, 0, width * factor).contiguous(), height, width,
               Filter::box);
    double total = 0;
    for (uint64_t seed = 0; seed < 30; ++seed) {
      const torch::Tensor spoilt = bsr_degrade(picture, factor, {seed, 0, 0});
      ASSERT_EQ(spoilt.sizes(), clean.sizes());
      const double difference = mean_difference(spoilt, clean);
      EXPECT_GT(difference, 0.1) << factor << " " << seed;
      EXPECT_LT(difference, 30) << factor << " " << seed;  // still the scene: of two unrelated ones it is 80
      total += difference;
    }
    EXPECT_LT(total / 30, 14) << factor;
  }
}

// Over many keys nothing is shifted or tinted: the mean of many spoilt flat pictures is the flat picture.
TEST(BsrDegrade, KeepsTheMeanColour) {
  const torch::Tensor flat = torch::tensor({60, 130, 200}).to(torch::kUInt8).expand({32, 32, 3}).contiguous();
  torch::Tensor sum = torch::zeros({3});
  for (uint64_t seed = 0; seed < 100; ++seed)
    sum += bsr_degrade(flat, 4, {seed, 0, 0}).to(torch::kFloat32).mean({0, 1});
  EXPECT_CLOSE(sum / 100, torch::tensor({60.0, 130.0, 200.0}), {.absolute = 1, .relative = 0});
}

TEST(BsrDegrade, HandlesTheSmallestPictures) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    EXPECT_EQ(bsr_degrade(scene(4, 5), 4, {seed, 0, 0}).sizes(), torch::IntArrayRef({1, 1, 3}));
  }
  EXPECT_THAT(error_of(ErrorKind::shape, [] { bsr_degrade(scene(3, 8), 4, {}); }), HasSubstr("factor of 4"));
  EXPECT_THAT(error_of(ErrorKind::shape, [] { bsr_degrade(scene(8, 8), 0, {}); }), HasSubstr("factor of 0"));
}

}  // namespace
}  // namespace unclip::image
