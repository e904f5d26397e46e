// A decoder that learns to fill holes: the holes, and starting from a decoder that knows none.
#include <gmock/gmock.h>

#include "support/close.h"
#include "support/error_of.h"
#include "support/temporary_folder.h"
#include "unclip/decoder/decoder.h"
#include "unclip/io/file.h"
#include "unclip/io/state.h"
#include "unclip/train/first_weights.h"
#include "unclip/train/holes.h"
#include "unclip/train/trained_model.h"

namespace unclip::train {
namespace {

using testing::error_of;
using torch::Tensor;

TEST(RandomHoles, EraseBetweenALittleAndAll) {
  const Tensor holes = random_holes(2000, 32, {1, 2, 3});
  const Tensor share = holes.to(torch::kFloat32).mean({1, 2, 3});
  EXPECT_NEAR((share == 1).to(torch::kFloat32).mean().item<double>(), 0.2, 0.03);
  EXPECT_GT(share.min().item<double>(), 0.0);
  EXPECT_LT(share.min().item<double>(), 0.05);
  EXPECT_NEAR(share.mean().item<double>(), 0.45, 0.12);
  // Every pixel is erased now and then, and kept now and then.
  const Tensor often = holes.to(torch::kFloat32).mean({0, 1});
  EXPECT_GT(often.min().item<double>(), 0.25);
  EXPECT_LT(often.max().item<double>(), 0.75);
}

TEST(RandomHoles, DependOnTheKeyAlone) {
  EXPECT_TRUE(torch::equal(random_holes(8, 16, {1, 2, 3}), random_holes(8, 16, {1, 2, 3})));
  EXPECT_FALSE(torch::equal(random_holes(8, 16, {1, 2, 3}), random_holes(8, 16, {1, 2, 4})));
  EXPECT_TRUE(torch::equal(random_holes(3, 16, {1, 2, 3}), random_holes(8, 16, {1, 2, 3}).slice(0, 0, 3)));
}

decoder::DecoderConfig config_of(bool inpaint, int64_t channels = 8) {
  return {.unet = {.size = 8,
                   .in_channels = inpaint ? 7 : 3,
                   .out_channels = 3,
                   .channels = channels,
                   .channel_mult = {1, 2},
                   .depth = 1,
                   .attention_resolutions = {4},
                   .head_channels = 8,
                   .context_width = 12,
                   .groups = 4},
          .embed_dim = 16,
          .text = {.source = decoder::DecoderText::none},
          .diffusion = {.parameterization = diffusion::Parameterization::v},
          .inpaint = inpaint};
}

decoder::Decoder random_decoder(bool inpaint) {
  decoder::Decoder model(config_of(inpaint));
  nn::initialize_parameters(*model, 1);
  const torch::NoGradGuard no_grad;
  uint64_t stream = 0;
  for (Tensor& p : model->parameters()) p.add_(normal_noise({7, ++stream, 0}, p.sizes()) * 0.03);
  model->eval();
  return model;
}

class FineTuning : public ::testing::Test {
 protected:
  FineTuning() {
    std::filesystem::create_directories(folder_ / "decoder");
    io::save_state(*base_, folder_ / "decoder/model.safetensors");
    io::write_file_atomically(folder_ / "decoder/config.json", config_to_json(config_of(false)));
    io::write_file_atomically(folder_ / "model.json",
                              std::string(R"({"format": 1, "stages": {"decoder": {"dir": "decoder"}}})"));
  }
  testing::TemporaryFolder folder_;
  decoder::Decoder base_ = random_decoder(false);
};

TEST_F(FineTuning, StartsAsTheOtherDecoderWhateverTheSurroundings) {
  decoder::Decoder model(config_of(true));
  start_from(*model, open_trained(folder_.path()), "decoder");
  const torch::NoGradGuard no_grad;
  model->eval();
  const Tensor x_t = normal_noise({1, 1, 1}, {2, 3, 8, 8}), z_i = normal_noise({1, 2, 1}, {2, 16});
  const Tensor t = torch::tensor({10, 700}, torch::kLong);
  const auto condition = [&](decoder::Decoder& of) {
    return of->condition({.z_i = z_i, .drop_image = {}, .text = {}});
  };
  const Tensor expected = base_->forward(x_t, t, condition(base_));
  const Tensor around =
      decoder::surroundings(normal_noise({1, 3, 1}, {2, 3, 8, 8}), random_holes(2, 8, {1, 1, 1}));
  EXPECT_CLOSE(model->forward(torch::cat({x_t, around}, 1), t, condition(model)), expected,
               {.absolute = 1e-5, .relative = 1e-5});
}

TEST_F(FineTuning, MayAddAFineHeadAndALayout) {
  decoder::DecoderConfig config = config_of(false);
  config.unet.fine_channels = 4;
  config.layout = true;
  decoder::Decoder model(config);
  nn::initialize_parameters(*model, 3);
  start_from(*model, open_trained(folder_.path()), "decoder");
  const torch::NoGradGuard no_grad;
  model->eval();
  const Tensor x_t = normal_noise({1, 1, 1}, {2, 3, 8, 8}), t = torch::tensor({10, 700}, torch::kLong);
  const auto run = [&](decoder::Decoder& of) {
    const Tensor z_i = normal_noise({1, 2, 1}, {2, 16});
    return of->forward(x_t, t, of->condition({.z_i = z_i, .drop_image = {}, .text = {}}));
  };
  EXPECT_TRUE(torch::equal(run(model), run(base_)));
}

TEST_F(FineTuning, NamesWhatDoesNotFit) {
  decoder::Decoder wider(config_of(true, 12));
  EXPECT_THAT(
      error_of(ErrorKind::checkpoint, [&] { start_from(*wider, open_trained(folder_.path()), "decoder"); }),
      ::testing::HasSubstr("does not fit"));
  EXPECT_THAT(
      error_of(ErrorKind::checkpoint, [&] { start_from(*base_, open_trained(folder_.path()), "prior"); }),
      ::testing::HasSubstr("no stage 'prior'"));
  EXPECT_THAT(
      error_of(ErrorKind::io, [&] { start_from(*base_, open_trained(folder_ / "decoder"), "decoder"); }),
      ::testing::HasSubstr("neither a run nor a model directory"));
}

TEST(Surroundings, AreKnownPixelsAndWhereTheyAre) {
  const Tensor pictures = normal_noise({1, 1, 1}, {2, 3, 4, 4});
  Tensor hole = torch::zeros({1, 1, 4, 4}, torch::kBool);
  hole.slice(2, 1, 3).fill_(true);
  const Tensor around = decoder::surroundings(pictures, hole);
  ASSERT_EQ(around.sizes(), (std::vector<int64_t>{2, 4, 4, 4}));
  EXPECT_TRUE(torch::equal(around.slice(1, 0, 3).slice(2, 0, 1), pictures.slice(2, 0, 1)));
  EXPECT_TRUE((around.slice(2, 1, 3) == 0).all().item<bool>());
  EXPECT_TRUE((around.slice(1, 3).slice(2, 3) == 1).all().item<bool>());
}

TEST(InpaintConfig, NeedsSevenChannels) {
  decoder::DecoderConfig config = config_of(true);
  config.unet.in_channels = 3;
  EXPECT_THAT(error_of(ErrorKind::config, [&] { config.validate(); }),
              ::testing::HasSubstr("expected 7 with inpaint"));
}

}  // namespace
}  // namespace unclip::train
