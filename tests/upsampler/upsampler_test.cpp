#include "unclip/upsampler/upsampler.h"

#include "support/training_parity.h"
#include "unclip/upsampler/key_map.h"
#include "unclip/upsampler/sample.h"

namespace unclip::upsampler {
namespace {

using testing::Fixture;

UpsamplerConfig karlo_tiny() {
  return {.unet = {.size = 24,
                   .in_channels = 6,
                   .out_channels = 3,
                   .channels = 8,
                   .channel_mult = {1, 2, 3},
                   .depth = 2,
                   .attention_resolutions = {},
                   .mid_attention = false,
                   .scale_shift = false,
                   .dropout = 0.0,
                   .groups = 4},
          .low_size = 6};
}

UpsamplerConfig scale_shift() {
  UpsamplerConfig config = karlo_tiny();
  config.unet.scale_shift = true;
  config.unet.channel_mult = {1, 2};
  config.unet.depth = 1;
  return config;
}

struct Case {
  const char* fixture;
  UpsamplerConfig config;
};

class UpsamplerParity : public ::testing::TestWithParam<Case> {};

TEST_P(UpsamplerParity, EqualsDiffusersAndTrainsAsPyTorchDoes) {
  const Fixture fixture(GetParam().fixture);
  Upsampler model(GetParam().config);
  testing::load_weights(*model, fixture, diffusers_key_map());
  const auto parts = fixture["in.sample"].chunk(2, 1);  // x_t and the enlarged picture
  const auto output = [&] { return model->forward(parts[0], fixture["in.timestep"], parts[1]); };
  EXPECT_CLOSE(output(), fixture["out.sample"], {.relative = 2e-5});
  testing::expect_same_training(*model, fixture, diffusers_key_map(),
                                [&] { return at::mse_loss(output(), fixture["in.target"]); });
}

INSTANTIATE_TEST_SUITE_P(Nets,
                         UpsamplerParity,
                         ::testing::Values(Case{"upsampler/karlo_tiny", karlo_tiny()},
                                           Case{"upsampler/scale_shift", scale_shift()}),
                         [](const auto& test) { return test.index == 0 ? "karlo" : "scale_shift"; });

TEST(Upsampler, RunsAtAnySideAndRespectsTheSeed) {
  Upsampler model(karlo_tiny());
  nn::initialize_parameters(*model, 1);
  const Tensor low = normal_noise({1, 1, 1}, {2, 3, 7, 9}).clamp(-1, 1);
  const diffusion::SamplerConfig sampler{.kind = diffusion::Sampler::ddim, .timesteps = "3"};
  const auto run = [&](const Tensor& given, std::vector<uint64_t> seeds) {
    return sample({model}, given, sampler, {.noise = picture_noise(std::move(seeds), "up"), .observer = {}});
  };
  const Tensor both = run(low, {1, 2});
  EXPECT_EQ(both.sizes(), (std::vector<int64_t>{2, 3, 28, 36}));
  EXPECT_CLOSE(run(low.slice(0, 1, 2), {2}), both.slice(0, 1, 2), {.absolute = 1e-5});
}

TEST(Upsampler, ResidualIsAddedToTheEnlargedPicture) {
  UpsamplerConfig config = scale_shift();
  config.diffusion.parameterization = diffusion::Parameterization::x_0;
  Upsampler plain(config);
  config.residual = true;
  Upsampler model(config);
  const Tensor low = uniform_noise({1, 1, 1}, {1, 3, 6, 6}) * 1.6 - 0.8;
  const diffusion::SamplerConfig sampler{.kind = diffusion::Sampler::ddim, .timesteps = "3"};
  nn::initialize_parameters(*model, 1);  // the last layer is 0
  const Tensor enlarged = model->enlarge(low, 24, 24).clamp(-1, 1);
  EXPECT_CLOSE(sample({model}, low, sampler, {.noise = picture_noise({1}, "up"), .observer = {}}), enlarged,
               {.absolute = 1e-5});
  const torch::NoGradGuard no_grad;
  for (const auto& net : {plain, model}) {
    uint64_t stream = 0;
    for (Tensor& p : net->parameters()) p.copy_(normal_noise({7, ++stream, 0}, p.sizes()) * 0.1);
  }
  const Tensor x_t = normal_noise({2, 1, 1}, {1, 3, 24, 24}), t = torch::full({1}, 500, torch::kLong);
  const Tensor alone = plain->forward(x_t, t, enlarged);
  EXPECT_GT(alone.abs().max().item<double>(), 0.01);
  EXPECT_CLOSE(model->forward(x_t, t, enlarged), alone + enlarged, {.absolute = 1e-6});
}

TEST(Upsampler, OverfitsEightCrops) {
  UpsamplerConfig config = karlo_tiny();
  config.unet.channel_mult = {2, 3};
  Upsampler model(config);
  nn::initialize_parameters(*model, 1);
  train::Optimizer optimizer(testing::parameters_of(*model), {});
  const Tensor enlarged =
      normal_noise({1, 1, 1}, {8, 3, 4, 4}).repeat_interleave(4, 2).repeat_interleave(4, 3);
  const Tensor target = enlarged.flip({1}), x = torch::zeros_like(enlarged),
               t = torch::full({8}, 500, torch::kLong);
  Tensor loss;
  for (int step = 0; step < 120; ++step) {
    loss = at::mse_loss(model->forward(x, t, enlarged), target);
    loss.backward();
    optimizer.step(4e-3);
  }
  EXPECT_LT(loss.item<double>(), 0.03);
}

TEST(UpsamplerConfig, WantsConvolutionsOnly) {
  UpsamplerConfig config = karlo_tiny();
  config.unet.mid_attention = true;
  EXPECT_THROW(config.validate(), Error);
}

TEST(UpsamplerConfig, WantsAResidualOfPicturesOnly) {
  UpsamplerConfig config = karlo_tiny();
  config.diffusion = {.parameterization = diffusion::Parameterization::epsilon};
  config.residual = true;
  EXPECT_THROW(config.validate(), Error);
}

}  // namespace
}  // namespace unclip::upsampler
