// The first weights of the layers that read and write codes.
#include "unclip/prior/code_layers.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/close.h"

namespace unclip::prior {
namespace {

using torch::Tensor;

TEST(CodeLayers, BucketsAreWavesOfEveryLength) {
  const Tensor waves = bucket_waves(64, 24);
  ASSERT_EQ(waves.sizes(), (std::vector<int64_t>{64, 24}));
  const double place = 5.5 / 64, root = std::sqrt(2.0);                          // of bucket 5
  EXPECT_NEAR(waves[5][0].item<double>(), root * std::cos(M_PI * place), 1e-5);  // half a wave
  EXPECT_NEAR(waves[5][12].item<double>(), root * std::sin(M_PI * place), 1e-5);
  EXPECT_NEAR(waves[5][11].item<double>(), root * std::cos(M_PI * place * 64), 1e-4);  // 64 half waves
  EXPECT_NEAR(waves.square().mean().item<double>(), 1.0, 0.05);
}

TEST(CodeLayers, NeighboursStartAlike) {
  const Tensor waves = bucket_waves(256, 144) / std::sqrt(144.0), likeness = waves.matmul(waves.t());
  for (const int64_t bucket : {10, 128, 245}) {
    const double near = likeness[bucket][bucket + 1].item<double>();
    const double far = likeness[bucket][(bucket + 100) % 256].item<double>();
    EXPECT_NEAR(near, 0.693, 0.01) << bucket;
    EXPECT_LT(far, 0.1) << bucket;
  }
}

TEST(CodeLayers, OddWidthsLeaveOutASine) { EXPECT_EQ(bucket_waves(8, 5).size(1), 5); }

TEST(CodeLayers, WithoutInputTheFirstDistributionIsTheNormal) {
  nn::Linear out = make_code_output(32, 64, 4.0);
  nn::initialize_parameters(*out, 1);
  const torch::NoGradGuard no_grad;
  const Tensor p = out(torch::zeros({1, 32})).softmax(1)[0];
  const Tensor edges = torch::linspace(-4, 4, 65, torch::kFloat64);
  const Tensor below = 0.5 * (1 + torch::erf(edges / std::sqrt(2.0)));
  EXPECT_CLOSE(p.to(torch::kFloat64), below.diff(), {.absolute = 3e-4, .relative = 0});
  // A hidden state moves it a little, and smoothly: no bucket stands out from its neighbours.
  const Tensor moved = out(normal_noise({1, 2, 3}, {1, 32})).log_softmax(1)[0];
  EXPECT_LT(moved.diff().abs().max().item<double>(), 1.0);
  EXPECT_GT((moved - p.log()).abs().max().item<double>(), 0.02);
}

TEST(CodeLayers, EmbeddingHoldsTheWaves) {
  nn::Embedding in = make_code_embedding(16, 8);
  nn::initialize_parameters(*in, 1);
  EXPECT_CLOSE(in->weight, 0.2 * bucket_waves(16, 8));
}

}  // namespace
}  // namespace unclip::prior
