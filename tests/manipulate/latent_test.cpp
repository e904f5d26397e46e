#include "unclip/manipulate/latent.h"

#include <gmock/gmock.h>

#include "support/close.h"
#include "support/error_of.h"
#include "support/temporary_folder.h"
#include "unclip/io/file.h"
#include "unclip/io/safetensors.h"

namespace unclip::manipulate {
namespace {

using testing::error_of;

/// A decoder with random weights that are large enough to matter.
decoder::Decoder tiny_decoder() {
  decoder::DecoderConfig config{.unet = {.size = 8,
                                         .out_channels = 3,
                                         .channels = 8,
                                         .channel_mult = {1, 2},
                                         .depth = 1,
                                         .attention_resolutions = {4},
                                         .head_channels = 8,
                                         .context_width = 12,
                                         .groups = 4},
                                .embed_dim = 16,
                                .text = {.source = decoder::DecoderText::none},
                                .diffusion = {.parameterization = diffusion::Parameterization::v,
                                              .threshold = {.kind = diffusion::Threshold::clamp}}};
  decoder::Decoder model(config);
  nn::initialize_parameters(*model, 1);
  const torch::NoGradGuard no_grad;
  uint64_t stream = 0;
  for (Tensor& p : model->parameters()) p.add_(normal_noise({7, ++stream, 0}, p.sizes()) * 0.03);
  model->eval();
  return model;
}

class LatentTest : public ::testing::Test {
 protected:
  decoder::SampleInput input() const { return {.z_i = z_i_, .text = {}, .null_text = {}}; }
  diffusion::SamplingHooks counted() {
    return {.noise = picture_noise({1, 2, 3}, "decoder"),
            .observer = [this](const diffusion::StepReport&) { ++steps_; }};
  }
  double error_of_round_trip(const LatentPath& path) {
    const Latent latent{z_i_, invert(model_, input(), x_0_, path, counted()), path};
    return (decode(model_, input(), latent, 0, counted()) - x_0_).abs().max().item<double>();
  }
  decoder::Decoder model_ = tiny_decoder();
  Tensor z_i_ = normal_noise({2, 1, 1}, {3, 16});
  Tensor x_0_ = uniform_noise({2, 2, 1}, {3, 3, 8, 8}) * 1.8 - 0.9;
  int64_t steps_ = 0;
};

TEST_F(LatentTest, DecodingWithoutNoiseReturnsThePictureTheBetterTheMoreSteps) {
  const double few = error_of_round_trip({.timesteps = "10"});
  const double more = error_of_round_trip({.timesteps = "30"});
  const double many = error_of_round_trip({.timesteps = "90"});
  EXPECT_LT(more, 0.5 * few);
  EXPECT_LT(many, 0.5 * more);
  EXPECT_LT(many, 0.04);
}

TEST_F(LatentTest, AGuidedPathReturnsToo) {
  EXPECT_LT(error_of_round_trip({.timesteps = "90", .guidance = 2.0}), 0.1);
}

TEST_F(LatentTest, InversionAsksTheNetworkOncePerStep) {
  invert(model_, input(), x_0_, {.timesteps = "10"}, counted());
  EXPECT_EQ(steps_, 10);
}

TEST_F(LatentTest, LeavesOutStepsWithoutSignal) {
  const diffusion::NoiseSchedule cosine(diffusion::ScheduleConfig{});
  const auto path = trajectory(LatentPath{.timesteps = "250"}, cosine);
  EXPECT_EQ(path.steps.size(), 250U);
  EXPECT_EQ(path.steps.front().t, 995);
  EXPECT_GE(cosine.lambda(path.steps.front().t), -5.1);
  EXPECT_EQ(path.steps.back().t_prev, -1);
}

TEST_F(LatentTest, NoiseOfItsOwnLeadsAwayFromThePicture) {
  const LatentPath path{.timesteps = "40", .guidance = 1};
  const Latent latent{z_i_, invert(model_, input(), x_0_, path, counted()), path};
  double before = 0;
  for (const double eta : {0.0, 0.3, 1.0}) {
    const double distance =
        (decode(model_, input(), latent, eta, counted()) - x_0_).square().mean().item<double>();
    EXPECT_GT(distance, before) << eta;
    before = distance;
  }
}

TEST_F(LatentTest, APictureIsTheSameAloneAndInABatch) {
  const LatentPath path{.timesteps = "10", .guidance = 1};
  const Tensor all = invert(model_, input(), x_0_, path, counted());
  const decoder::SampleInput second{.z_i = z_i_.slice(0, 1, 2), .text = {}, .null_text = {}};
  EXPECT_CLOSE(invert(model_, second, x_0_.slice(0, 1, 2), path, {}), all.slice(0, 1, 2),
               {.absolute = 1e-4, .relative = 0});
}

TEST_F(LatentTest, FilesKeepEveryBit) {
  const testing::TemporaryFolder folder;
  const Latent latent{
      z_i_, normal_noise({3, 3, 3}, {3, 3, 8, 8}), {.timesteps = "trailing20", .guidance = 1.25}};
  save_latent(folder / "latent.safetensors", latent, "tiny");
  const Latent back = load_latent(folder / "latent.safetensors");
  EXPECT_TRUE(torch::equal(back.z_i, latent.z_i));
  EXPECT_TRUE(torch::equal(back.x_T, latent.x_T));
  EXPECT_EQ(back.path.timesteps, "trailing20");
  EXPECT_EQ(back.path.guidance, 1.25);
}

TEST_F(LatentTest, NamesWhatIsNoLatent) {
  const testing::TemporaryFolder folder;
  const auto file = folder / "other.safetensors";
  const auto load = [&] { load_latent(file); };
  io::write_safetensors(file, {{"z_i", z_i_}});
  EXPECT_THAT(testing::error_of(ErrorKind::checkpoint, load), ::testing::HasSubstr("holds no latent"));
  const io::Metadata metadata{{"kind", "unclip latent"}, {"timesteps", "10"}, {"guidance", "1"}};
  io::write_safetensors(file, {{"z_i", z_i_}}, metadata);
  EXPECT_THAT(testing::error_of(ErrorKind::checkpoint, load), ::testing::HasSubstr("x_T"));
  io::write_safetensors(file, {{"z_i", z_i_}, {"x_T", torch::zeros({2, 3, 8, 8})}}, metadata);
  EXPECT_THAT(testing::error_of(ErrorKind::checkpoint, load), ::testing::HasSubstr("expected [N, D]"));
  io::write_safetensors(file, {{"z_i", z_i_}, {"x_T", torch::full({3, 3, 8, 8}, NAN)}}, metadata);
  EXPECT_THAT(testing::error_of(ErrorKind::checkpoint, load), ::testing::HasSubstr("no numbers"));
  io::Metadata wrong = metadata;
  wrong["guidance"] = "much";
  io::write_safetensors(file, {{"z_i", z_i_}, {"x_T", torch::zeros({3, 3, 8, 8})}}, wrong);
  EXPECT_THAT(testing::error_of(ErrorKind::checkpoint, load), ::testing::HasSubstr("'much'"));
}

TEST_F(LatentTest, ALatentOfAnotherSizeIsAnError) {
  const Latent latent{z_i_, torch::zeros({3, 3, 16, 16}), {}};
  EXPECT_THAT(testing::error_of(ErrorKind::shape, [&] { decode(model_, input(), latent, 0, counted()); }),
              ::testing::HasSubstr("this model's decoder draws 8 × 8"));
}

}  // namespace
}  // namespace unclip::manipulate
