#include "unclip/pipeline/manipulations.h"

#include <gmock/gmock.h>

#include "support/close.h"
#include "support/error_of.h"
#include "support/tiny_model.h"
#include "unclip/image/network.h"

namespace unclip::pipeline {
namespace {

using testing::error_of;
using torch::Tensor;

constexpr testing::Tolerance kOneLevel{.absolute = 2.0 / 255, .relative = 0};  // of 255, in −1…1

class ManipulationsTest : public ::testing::Test {
 protected:
  ManipulationsTest() { testing::write_tiny_model(folder_ / "model"); }
  Unclip open() { return {folder_ / "model", torch::kFloat32}; }
  /// Smooth, as pictures are: noise would leave −1…1 on the way back.
  static Tensor picture(uint64_t seed, int64_t side = 16) {
    const Tensor coarse = uniform_noise({seed, 1, 1}, {1, 3, 4, 4}) * 1.4 - 0.7;
    return image::to_pixels(at::_upsample_bicubic2d_aa(coarse, {side, side}, false))[0];
  }
  static Tensor as_network(const Tensor& pixels) { return image::to_network(pixels); }
  testing::TemporaryFolder folder_;
  std::shared_ptr<Progress> quiet_ = silent_progress();
  manipulate::LatentPath path_{.timesteps = "100", .guidance = 1};
  SamplingOptions small_{.size = 16};
};

TEST_F(ManipulationsTest, ALatentDrawsItsPictureAgain) {
  Unclip model = open();
  const auto latent = invert(model, {picture(1), picture(2)}, path_, *quiet_);
  EXPECT_EQ(latent.x_T.sizes(), (std::vector<int64_t>{2, 3, 16, 16}));
  const Pictures back = draw_latent(model, {latent, 0.0, {1, 2}, small_}, *quiet_);
  EXPECT_CLOSE(back.base, torch::cat({as_network(picture(1)), as_network(picture(2))}),
               {.absolute = 0.1, .relative = 0});
  const Pictures varied = draw_latent(model, {latent, 1.0, {1, 2}, small_}, *quiet_);
  EXPECT_GT((varied.base - back.base).abs().max().item<double>(), 0.2);
}

TEST_F(ManipulationsTest, OneLatentServesManySeeds) {
  Unclip model = open();
  const auto latent = invert(model, {picture(1)}, {.timesteps = "10", .guidance = 1}, *quiet_);
  const Pictures many = draw_latent(model, {latent, 0.7, {5, 6, 7}, small_}, *quiet_);
  const Pictures alone = draw_latent(model, {latent, 0.7, {6}, small_}, *quiet_);
  EXPECT_CLOSE(alone.base, many.base.slice(0, 1, 2), kOneLevel);
  EXPECT_FALSE(torch::allclose(many.base[0], many.base[1], 0, 0.1));
}

TEST_F(ManipulationsTest, InvertedInterpolationEndsInItsPictures) {
  Unclip model = open();
  const Pictures frames = interpolate(
      model,
      {.a = picture(1), .b = picture(2), .frames = 3, .inverted = path_, .seed = 1, .sampling = small_},
      *quiet_);
  EXPECT_CLOSE(frames.base.slice(0, 0, 1), as_network(picture(1)), {.absolute = 0.1, .relative = 0});
  EXPECT_CLOSE(frames.base.slice(0, 2, 3), as_network(picture(2)), {.absolute = 0.1, .relative = 0});
}

TEST_F(ManipulationsTest, FixedInterpolationHasVariationsAtItsEnds) {
  Unclip model = open();
  const Pictures frames = interpolate(model,
                                      {.a = picture(1),
                                       .b = std::string("a red heart"),
                                       .frames = 5,
                                       .inverted = {},
                                       .seed = 9,
                                       .sampling = {.size = 32}},
                                      *quiet_);
  EXPECT_EQ(frames.pictures.sizes(), (std::vector<int64_t>{5, 3, 32, 32}));
  const Pictures variation =
      model.vary({.picture = picture(1), .seeds = {9}, .sampling = {.size = 32}}, *quiet_);
  EXPECT_CLOSE(frames.pictures.slice(0, 0, 1), variation.pictures, kOneLevel);
  const nn::TextEncoding text = model.clip().encode_text(std::vector<std::string>{"a red heart"});
  const Plan plan = make_plan(model.model(), {.size = 32});
  ASSERT_TRUE(plan.prior.has_value());
  const Tensor z_2 = model.draw_z_i(text, std::vector<uint64_t>{9}, plan, *quiet_);
  EXPECT_CLOSE(frames.z_i.slice(0, 4, 5), z_2, {.absolute = 1e-5, .relative = 1e-5});
}

TEST_F(ManipulationsTest, CaptionsHaveNoInversion) {
  Unclip model = open();
  EXPECT_THAT(error_of(ErrorKind::usage,
                       [&] {
                         interpolate(model,
                                     {.a = picture(1),
                                      .b = std::string("a cat"),
                                      .frames = 3,
                                      .inverted = path_,
                                      .seed = 1,
                                      .sampling = small_},
                                     *quiet_);
                       }),
              ::testing::HasSubstr("'a cat' is a caption"));
}

TEST_F(ManipulationsTest, EditsBeginWithTheReconstruction) {
  Unclip model = open();
  const EditRequest request{.picture = picture(1),
                            .from = "a heart",
                            .to = "a red cat",
                            .theta = 0.5,
                            .frames = 3,
                            .path = path_,
                            .seed = 1,
                            .sampling = small_};
  const Pictures frames = edit(model, request, *quiet_);
  const auto latent = invert(model, {picture(1)}, path_, *quiet_);
  const Pictures back = draw_latent(model, {latent, 0.0, {1}, small_}, *quiet_);
  EXPECT_CLOSE(frames.base.slice(0, 0, 1), back.base, kOneLevel);
  EXPECT_CLOSE(frames.base.slice(0, 0, 1), as_network(picture(1)), {.absolute = 0.1, .relative = 0});
  EXPECT_FALSE(torch::equal(frames.z_i[0], frames.z_i[2]));
  EditRequest other = request;
  other.from.reset();
  EXPECT_FALSE(torch::allclose(edit(model, other, *quiet_).z_i[2], frames.z_i[2], 0, 1e-3));
}

TEST_F(ManipulationsTest, ProbeOfAllComponentsIsTheVariation) {
  Unclip model = open();
  std::vector<Tensor> pictures;
  for (uint64_t i = 0; i < 40; ++i) pictures.push_back(picture(100 + i, 20));
  const auto components = manipulate::fit_principal_components(model.clip().embed_pictures(pictures));
  ASSERT_EQ(manipulate::count(components), 16);
  const Pictures frames = probe(
      model,
      {.picture = picture(1), .components = components, .counts = {1, 16}, .seed = 3, .sampling = small_},
      *quiet_);
  const Pictures variation = model.vary({.picture = picture(1), .seeds = {3}, .sampling = small_}, *quiet_);
  EXPECT_CLOSE(frames.base.slice(0, 1, 2), variation.base, kOneLevel);
  EXPECT_FALSE(torch::allclose(frames.z_i[0], frames.z_i[1], 0, 1e-3));
}

TEST_F(ManipulationsTest, ComponentsAreTheAutoregressivePriors) {
  model::Model model = model::open_model(folder_ / "model");
  const auto components = stored_components(model);
  ASSERT_TRUE(components.has_value());
  EXPECT_EQ(manipulate::count(*components), 6);
  const Tensor gram = components->basis.matmul(components->basis.t());
  EXPECT_CLOSE(gram, torch::eye(6, torch::kFloat64), {.absolute = 1e-5, .relative = 0});
  model.ar_prior.reset();
  EXPECT_FALSE(stored_components(model).has_value());
}

TEST_F(ManipulationsTest, StepsThatDoNotFitAreUsageErrors) {
  Unclip model = open();
  EXPECT_THAT(
      error_of(ErrorKind::usage, [&] { invert(model, {picture(1)}, {.timesteps = "5000"}, *quiet_); }),
      ::testing::HasSubstr("the decoder's steps: "));
}

}  // namespace
}  // namespace unclip::pipeline
