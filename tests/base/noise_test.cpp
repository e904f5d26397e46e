#include "unclip/base/noise.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "unclip/base/error.h"

namespace unclip {
namespace {

TEST(Noise, IsStandardNormal) {
  const auto x = normal_noise({42, stream_id("test"), 0}, {1000, 1000}).to(torch::kFloat64);
  EXPECT_NEAR(x.mean().item<double>(), 0.0, 4e-3);
  EXPECT_NEAR(x.std().item<double>(), 1.0, 4e-3);
  EXPECT_NEAR(x.pow(4).mean().item<double>(), 3.0, 3e-2);
  EXPECT_NEAR((x.slice(1, 0, 999) * x.slice(1, 1, 1000)).mean().item<double>(), 0.0, 4e-3);
}

TEST(Noise, UniformCoversTheUnitInterval) {
  const auto u = uniform_noise({1, 2, 3}, {100000});
  EXPECT_GE(u.min().item<float>(), 0.0F);
  EXPECT_LT(u.max().item<float>(), 1.0F);
  EXPECT_NEAR(u.mean().item<double>(), 0.5, 4e-3);
}

TEST(Noise, DependsOnSeedStreamAndStep) {
  const auto x = normal_noise({1, 1, 1}, {64});
  for (const NoiseKey& key : {NoiseKey{2, 1, 1}, NoiseKey{1, 2, 1}, NoiseKey{1, 1, 2}}) {
    EXPECT_FALSE(torch::allclose(x, normal_noise(key, {64})));
  }
  EXPECT_TRUE(torch::equal(x, normal_noise({1, 1, 1}, {64})));
}

TEST(Noise, SamePictureInAnyBatchAndThreadCount) {
  const auto like = torch::zeros({3, 3, 65, 63});
  const auto batch = picture_noise({5, 6, 7}, "decoder")(like, 4);
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const auto alone = picture_noise({6}, "decoder")(like.slice(0, 0, 1), 4);
  at::set_num_threads(threads);
  EXPECT_TRUE(torch::equal(batch[1], alone[0]));
  EXPECT_FALSE(torch::equal(batch[0], batch[1]));
}

TEST(Noise, WantsOneSeedPerPicture) {
  EXPECT_THROW(picture_noise({5}, "decoder")(torch::zeros({2, 4}), 0), Error);
  EXPECT_TRUE(torch::equal(picture_uniforms({5, 6}, "ar_prior")(torch::zeros({2, 3}), 4)[1],
                           uniform_noise({6, stream_id("ar_prior"), 4}, {3})));
}

}  // namespace
}  // namespace unclip
