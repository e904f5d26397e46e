// What `unclip train all` decides before it trains: presets, what can be learned from, what is healthy.
#include "unclip/train/stack.h"

#include <gmock/gmock.h>

#include "support/error_of.h"
#include "unclip/train/health.h"

namespace unclip::train {
namespace {

namespace fs = std::filesystem;

using testing::error_of;
using ::testing::HasSubstr;

fs::path configs() { return fs::path(UNCLIP_SOURCE_DIR) / "configs"; }

data::DatasetReport report(int64_t pictures, int64_t side = 256) {
  data::DatasetReport result;
  result.samples = pictures;
  result.captions = result.distinct_captions = pictures;
  result.sizes[{side, side}] = pictures;
  return result;
}

TEST(Presets, AreWholeModels) {
  const nn::ParameterDevice on_meta(torch::kMeta);
  int64_t smaller = 0;
  for (const char* name : {"tiny", "small", "base", "paper"}) {
    const Stack stack = read_stack(configs() / name);
    EXPECT_FALSE(read_preset_card(configs() / name).summary.empty()) << name;
    EXPECT_EQ(stack.prior.model.embed_dim, stack.clip.model.embed_dim) << name;
    EXPECT_EQ(stack.decoder.model.embed_dim, stack.clip.model.embed_dim) << name;
    ASSERT_FALSE(stack.upsamplers.empty()) << name;
    int64_t count = nn::count_parameters(*clip::Clip(stack.clip.model)) +
                    nn::count_parameters(*prior::DiffusionPrior(stack.prior.model)) +
                    nn::count_parameters(*decoder::Decoder(stack.decoder.model));
    for (const UpsamplerRun& run : stack.upsamplers)
      count += nn::count_parameters(*upsampler::Upsampler(run.model));
    EXPECT_GT(count, 2 * smaller) << name;
    smaller = count;
  }
  EXPECT_THAT(error_of(ErrorKind::io, [] { read_stack(configs() / "huge"); }), HasSubstr("huge"));
}

TEST(Presets, AreChosenByTheNumberOfPicturesAndCores) {
  EXPECT_EQ(preset_for(report(200), 64), "tiny");
  EXPECT_EQ(preset_for(report(15'000), 64), "small");
  EXPECT_EQ(preset_for(report(1'000'000), 64), "base");
  EXPECT_EQ(preset_for(report(1'000'000), 2), "small");  // base would take two cores weeks
}

TEST(Trainable, RefusesWhatTeachesNothing) {
  check_trainable(report(200));
  const auto complaint = [](const data::DatasetReport& r) {
    return error_of(ErrorKind::data, [&] { check_trainable(r); });
  };
  EXPECT_THAT(complaint(report(3)), HasSubstr("3 usable pictures"));
  EXPECT_THAT(complaint(report(200, 1)), HasSubstr("use larger pictures"));
  data::DatasetReport same = report(200);
  same.distinct_captions = 1;
  EXPECT_THAT(complaint(same), HasSubstr("the same caption"));
  data::DatasetReport copies = report(200);
  copies.duplicates = 199;
  EXPECT_THAT(complaint(copies), HasSubstr("the same file"));
}

TEST(FitStack, FollowsTheData) {
  Stack stack = read_stack(configs() / "tiny");
  fit_stack(stack, report(60), {});
  EXPECT_EQ(stack.clip.data.batch_size, 30);
  EXPECT_EQ(stack.upsamplers.size(), 1U);
  fit_stack(stack, report(200, 128), {});
  EXPECT_TRUE(stack.upsamplers.empty());
}

TEST(FitStack, FineTunesTheArchitectureOfTheModelItStartsFrom) {
  const fs::path emoji = fs::path(UNCLIP_SOURCE_DIR) / "models/emoji";
  Stack stack = read_stack(configs() / "tiny");
  const double rate = stack.decoder.train.optimizer.learning_rate;
  fit_stack(stack, report(200), emoji);
  EXPECT_EQ(stack.clip.model.embed_dim, 256);
  EXPECT_EQ(stack.decoder.model.unet.channel_mult, (std::vector<double>{3, 4, 5}));
  EXPECT_NEAR(stack.decoder.train.optimizer.learning_rate, rate / 3, 1e-12);
}

TEST(Health, IsJudgedAgainstChanceAndThePlainAlternative) {
  const auto verdict = [](const char* stage, const Metrics& metrics, double progress) {
    return judge(stage, metrics, progress, 100).front();
  };
  EXPECT_TRUE(verdict("clip", {{"text_to_image_r10", 0.5}}, 1.0).healthy);
  EXPECT_FALSE(verdict("clip", {{"text_to_image_r10", 0.15}}, 1.0).healthy);  // chance is 0.1
  EXPECT_TRUE(verdict("clip", {{"text_to_image_r10", 0.15}}, 0.1).healthy);   // too early to say
  EXPECT_THAT(judge("clip", {{"text_to_image_r1", 0.4}, {"text_to_image_r10", 1.0}}, 1.0, 10).front().text,
              HasSubstr("text_to_image_r1 0.4 (healthy: above 0.2)"));  // ten of ten are always found
  EXPECT_THAT(verdict("clip", {}, 1.0).text, HasSubstr("no held-out picture can be read"));
  EXPECT_FALSE(verdict("prior", {{"validation_mse", 1.1}}, 1.0).healthy);
  EXPECT_TRUE(verdict("decoder", {{"drawn_cosine", 0.6}}, 1.0).healthy);
  const Verdict poor = verdict("upsampler", {{"psnr", 25.0}, {"psnr_of_enlarging", 30.0}}, 1.0);
  EXPECT_FALSE(poor.healthy);
  EXPECT_THAT(poor.text, HasSubstr("psnr 25 (healthy: above 29.5)"));
  EXPECT_FALSE(verdict("prior", {{"validation_mse", std::nan("")}}, 1.0).healthy);
}

}  // namespace
}  // namespace unclip::train
