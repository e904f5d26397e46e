#include "unclip/pipeline/upscaling.h"

#include <gmock/gmock.h>

#include "support/error_of.h"
#include "support/tiny_model.h"
#include "unclip/image/network.h"

namespace unclip::pipeline {
namespace {

using ::testing::ElementsAre;
using testing::error_of;
using ::testing::HasSubstr;
using torch::Tensor;

Tensor picture(int64_t height, int64_t width) {
  const Tensor coarse =
      uniform_noise({static_cast<uint64_t>(height * 1000 + width), 1, 1}, {1, 3, 4, 4}) * 2 - 1;
  return image::to_pixels(at::_upsample_bicubic2d_aa(coarse, {height, width}, false))[0];
}

/// Upsamplers 16 → 32 and, in some tests, 32 → 64.
class UpscalingTest : public ::testing::Test {
 protected:
  UpscalingTest() { testing::write_tiny_model(folder_ / "model"); }
  Unclip open() { return {folder_ / "model", torch::kFloat32}; }
  void add_second_upsampler() {
    const auto model = model::open_model(folder_ / "model");
    upsampler::UpsamplerConfig config = model.upsamplers.front().net.config;
    config.unet.size = 64;
    config.low_size = 32;
    testing::write_stage<upsampler::Upsampler>(folder_ / "model" / "upsampler_64", config);
    model::Manifest manifest = model.manifest;
    manifest.stages["upsampler_64"] = "upsampler_64";
    model::write_manifest(folder_ / "model", manifest);
  }
  Upscaled upscaled(const std::vector<Tensor>& pictures,
                    const SamplingOptions& sampling = {},
                    std::optional<int64_t> from = std::nullopt) {
    Unclip model = open();
    UpscaleRequest request{.pictures = {}, .from = from, .seeds = {}, .sampling = sampling};
    for (size_t i = 0; i < pictures.size(); ++i) {
      request.pictures.emplace_back("picture " + std::to_string(i + 1), pictures[i]);
      request.seeds.push_back(5 + i);
    }
    return upscale(model, request, *silent_progress());
  }
  std::string error(const std::vector<Tensor>& pictures,
                    const SamplingOptions& sampling = {},
                    std::optional<int64_t> from = std::nullopt) {
    return error_of(ErrorKind::usage, [&] { upscaled(pictures, sampling, from); });
  }
  testing::TemporaryFolder folder_;
};

TEST_F(UpscalingTest, IsWhatTheUpsamplerMakesOfADrawing) {
  Unclip model = open();
  const Tensor low = picture(16, 16);
  const Plan plan = make_plan(model.model(), {.prior = PriorKind::none, .size = 32});
  const Tensor expected = model.enlarge(image::to_network(low), plan, SamplingNoise(std::vector<uint64_t>{5}),
                                        *silent_progress());
  const Upscaled result = upscaled({low});
  EXPECT_TRUE(torch::equal(result.pictures.at(0), image::to_pixels(expected)[0]));
  EXPECT_TRUE(result.warnings.empty());
}

TEST_F(UpscalingTest, KeepsProportionsAndEachPicturesNoise) {
  const std::vector<Tensor> pictures{picture(16, 21), picture(16, 16), picture(37, 16), picture(16, 21)};
  const Upscaled all = upscaled(pictures);
  EXPECT_THAT(all.pictures[0].sizes(), ElementsAre(32, 42, 3));
  EXPECT_THAT(all.pictures[1].sizes(), ElementsAre(32, 32, 3));
  EXPECT_THAT(all.pictures[2].sizes(), ElementsAre(74, 32, 3));
  EXPECT_TRUE(torch::equal(all.pictures[0], upscaled({pictures[0]}).pictures[0]));
  EXPECT_FALSE(torch::equal(all.pictures[0], all.pictures[3])) << "another seed";
  EXPECT_TRUE(all.warnings.empty());
}

TEST_F(UpscalingTest, BeginsWhereThePictureReaches) {
  add_second_upsampler();
  const Upscaled twice = upscaled({picture(20, 30)});
  EXPECT_THAT(twice.pictures[0].sizes(), ElementsAre(64, 96, 3));
  EXPECT_THAT(twice.warnings,
              ElementsAre("'picture 1' of 30 × 20 pixels was reduced to 24 × 16, where an upsampler begins"));
  const Upscaled once = upscaled({picture(32, 48)});
  EXPECT_THAT(once.pictures[0].sizes(), ElementsAre(64, 96, 3));
  EXPECT_TRUE(once.warnings.empty());
  const Upscaled anew = upscaled({picture(200, 100)}, {.size = 32}, 16);
  EXPECT_THAT(anew.pictures[0].sizes(), ElementsAre(64, 32, 3));
}

TEST_F(UpscalingTest, SaysWhatCannotBeEnlarged) {
  EXPECT_THAT(
      error({picture(16, 16), picture(15, 40)}),
      HasSubstr("'picture 2' of 40 × 15 pixels is too small: its shorter side must have at least 16"));
  EXPECT_THAT(error({picture(16, 65)}), HasSubstr("more than 4 times as long as it is wide"));
  EXPECT_THAT(error({picture(32, 40)}), HasSubstr("is not smaller than the 32 that this model enlarges to"));
  EXPECT_THAT(error({picture(16, 16)}, {.size = 16}), HasSubstr("ask for 32 or more"));
  EXPECT_THAT(error({picture(16, 16)}, {.size = 48}), HasSubstr("draws pictures of 16, 32 pixels"));
  EXPECT_THAT(error({picture(40, 40)}, {}, 32), HasSubstr("an upsampler begins at 16, not at 32"));
}

}  // namespace
}  // namespace unclip::pipeline
