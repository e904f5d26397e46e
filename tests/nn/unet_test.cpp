#include "unclip/nn/unet.h"

#include "support/close.h"

namespace unclip::nn {
namespace {

UNetConfig tiny() {
  return {.size = 16,
          .in_channels = 3,
          .out_channels = 6,
          .channels = 16,
          .channel_mult = {1, 2},
          .depth = 1,
          .attention_resolutions = {8},
          .head_channels = 8,
          .context_width = 12,
          .dropout = 0.0,
          .groups = 4};
}

/// Zero-initialised layers hide everything behind them: give every parameter a value.
void randomise(torch::nn::Module& module) {
  const torch::NoGradGuard no_grad;
  uint64_t stream = 0;
  for (Tensor& p : module.parameters()) p.copy_(normal_noise({9, ++stream, 0}, p.sizes()) * 0.2);
}

TEST(UNet, StartsAtZeroAndKeepsShapes) {
  for (const int64_t patch : {1, 2, 4}) {
    UNetConfig config = tiny();
    config.patch = patch;
    config.attention_resolutions = {8 / patch};
    UNet net(config);
    initialize_parameters(*net, 1);
    const Tensor y = net(torch::randn({2, 3, 16, 16}), torch::tensor({3, 900}), UNetConditioning{});
    EXPECT_EQ(y.sizes(), (std::vector<int64_t>{2, 6, 16, 16}));
    EXPECT_EQ(y.abs().max().item<float>(), 0.0F);  // the last convolution starts at zero
  }
}

TEST(UNet, MaskedContextTokensDoNotMatter) {
  UNet net(tiny());
  randomise(*net);
  const Tensor x = normal_noise({1, 1, 1}, {1, 3, 16, 16}), t = torch::tensor({10});
  const Tensor mask = torch::tensor({{true, true, false}}), tokens = normal_noise({1, 2, 1}, {1, 3, 12});
  const Tensor other = torch::cat({tokens.slice(1, 0, 2), tokens.slice(1, 2) + 5}, 1);
  const auto run = [&](const Tensor& context) {
    return net(x, t, UNetConditioning{.context = ContextTokens{.tokens = context, .mask = mask}});
  };
  EXPECT_TRUE(torch::equal(run(tokens), run(other)));
  EXPECT_FALSE(torch::allclose(run(tokens), run(tokens + 1)));
}

TEST(UNet, PicturesOfABatchDoNotMix) {
  UNet net(tiny());
  randomise(*net);
  const Tensor x = normal_noise({1, 1, 1}, {3, 3, 16, 16}), t = torch::tensor({10, 500, 900});
  const Tensor whole = net(x, t, UNetConditioning{});
  for (int64_t i = 0; i < 3; ++i) {
    EXPECT_CLOSE(net(x.slice(0, i, i + 1), t.slice(0, i, i + 1), UNetConditioning{}),
                 whole.slice(0, i, i + 1));
  }
}

TEST(UNet, BFloat16IsNearFloat32) {
  UNet net(tiny());
  randomise(*net);
  const Tensor x = normal_noise({1, 1, 1}, {2, 3, 16, 16}), t = torch::tensor({10, 500});
  const Tensor expected = net(x, t, UNetConditioning{});
  net->compute_dtype = torch::kBFloat16;
  EXPECT_CLOSE(net(x, t, UNetConditioning{}), expected, {.relative = 4e-2});
}

TEST(UNet, ConvolutionalNetRunsAtAnySide) {
  UNetConfig config = tiny();
  config.attention_resolutions = {};
  config.mid_attention = false;
  UNet net(config);
  randomise(*net);
  EXPECT_EQ(net(torch::randn({1, 3, 20, 28}), torch::tensor({1}), UNetConditioning{}).size(3), 28);
}

TEST(UNet, FineHeadStartsAsIdentity) {
  UNetConfig config = tiny();
  config.patch = 2;
  config.attention_resolutions = {4};
  UNet plain(config);
  config.fine_channels = 6;
  UNet net(config);
  initialize_parameters(*net, 1);
  initialize_parameters(*plain, 1);
  const torch::NoGradGuard no_grad;
  for (const auto& model : {plain, net})
    model->conv_out->weight.copy_(normal_noise({4, 1, 0}, model->conv_out->weight.sizes()));
  const Tensor x = normal_noise({1, 1, 1}, {2, 3, 16, 16}), t = torch::tensor({10, 500});
  const Tensor y = net(x, t, UNetConditioning{});
  EXPECT_GT(y.abs().max().item<float>(), 0.0F);
  EXPECT_TRUE(torch::equal(y, plain(x, t, UNetConditioning{})));
}

TEST(FineHead, IsALocalResidualToldTheTimestep) {
  UNetConfig config = tiny();
  config.fine_channels = 5;
  FineHead head(config);
  randomise(*head);
  const torch::NoGradGuard no_grad;
  const Tensor y = normal_noise({1, 1, 1}, {2, 6, 16, 16}), x = normal_noise({1, 2, 1}, {2, 3, 16, 16});
  const Tensor embedding = normal_noise({1, 3, 1}, {2, config.embed_width()});
  const Tensor result = head(y, x, embedding);

  const Tensor told = at::linear(embedding, head->embed->weight, head->embed->bias);
  const Tensor scale = told.slice(1, 0, 5).view({2, 5, 1, 1}), shift = told.slice(1, 5).view({2, 5, 1, 1});
  const Tensor h = at::conv2d(torch::cat({y, x}, 1), head->conv1->weight, head->conv1->bias, 1, 1);
  const Tensor expected =
      y + at::conv2d(at::silu(h * (1 + scale) + shift), head->conv2->weight, head->conv2->bias, 1, 1);
  EXPECT_CLOSE(result, expected, {.relative = 1e-5});

  Tensor nudged = x.clone();
  nudged.select(2, 8).select(2, 8) += 1;  // one pixel: only the 5×5 around it may change
  const Tensor change = (head(y, nudged, embedding) - result).abs().amax({0, 1});
  EXPECT_GT(change.slice(0, 6, 11).slice(1, 6, 11).min().item<float>(), 0.0F);
  Tensor outside = change.clone();
  outside.slice(0, 6, 11).slice(1, 6, 11).zero_();
  EXPECT_EQ(outside.max().item<float>(), 0.0F);
}

TEST(UNetConfig, NamesContradictions) {
  UNetConfig config = tiny();
  config.head_channels = 5;
  EXPECT_THROW(config.validate("unet"), Error);
  config = tiny();
  config.groups = 7;
  EXPECT_THROW(config.validate("unet"), Error);
  config = tiny();
  config.size = 17;
  EXPECT_THROW(config.validate("unet"), Error);
}

}  // namespace
}  // namespace unclip::nn
