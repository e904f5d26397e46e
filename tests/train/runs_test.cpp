// Runs as `unclip train` starts them: from trained weights.
#include "unclip/train/runs.h"

#include <gmock/gmock.h>

#include "support/error_of.h"
#include "support/temporary_folder.h"
#include "unclip/image/encode.h"
#include "unclip/io/file.h"
#include "unclip/train/export.h"
#include "unclip/train/run_folder.h"
#include "unclip/train/upsampler_stage.h"

namespace unclip::train {
namespace {

namespace fs = std::filesystem;

using testing::error_of;

UpsamplerRun tiny_run() {
  UpsamplerRun run;
  run.model.unet = {.size = 16,
                    .in_channels = 6,
                    .out_channels = 3,
                    .channels = 8,
                    .channel_mult = {1, 2},
                    .depth = 1,
                    .attention_resolutions = {},
                    .mid_attention = false,
                    .groups = 4};
  run.model.low_size = 8;
  run.data = {.batch_size = 4, .workers = 1, .picture = {.size = 16, .low_res = 8}};
  run.train = {.steps = 3, .precision = Precision::fp32, .log_every = 1, .evaluate_every = 3};
  return run;
}

class StartingFromWeights : public ::testing::Test {
 protected:
  StartingFromWeights() {
    fs::create_directories(folder_ / "pictures");
    for (uint64_t i = 0; i < 4; ++i) {
      const auto pixels = (uniform_noise({1, i, 0}, {16, 16, 3}) * 255).to(torch::kUInt8);
      image::write_picture(folder_ / "pictures" / (std::to_string(i) + ".png"), pixels);
    }
    train("first", tiny_run(), {});
  }
  void train(const std::string& name, const UpsamplerRun& run, const fs::path& from) {
    const fs::path config = folder_ / (name + ".json");
    io::write_file_atomically(config, config_to_json(run));
    RunRequest request;
    request.config = config;
    request.data = {(folder_ / "pictures").string()};
    request.from = from;
    request.out = folder_ / name;
    train_upsampler(request, *silent_progress());
  }
  io::NamedTensors averaged(const std::string& name) {
    return io::SafetensorsFile(RunFolder(folder_ / name).require_latest() / "ema.safetensors").tensors();
  }
  void expect_same_weights(const std::string& name) {
    const io::NamedTensors expected = averaged("first"), got = averaged(name);
    ASSERT_EQ(expected.size(), got.size());
    for (const auto& [key, tensor] : expected)
      EXPECT_LT((tensor - got.at(key)).abs().max().item<double>(), 1e-20) << key;
  }
  testing::TemporaryFolder folder_;
};

/// A run that changes next to nothing shows what it started from.
UpsamplerRun standing_still() {
  UpsamplerRun run = tiny_run();
  run.train.seed = 99;
  run.train.optimizer.learning_rate = 1e-30;
  return run;
}

TEST_F(StartingFromWeights, TakesTheAveragedWeightsOfARun) {
  train("second", standing_still(), folder_ / "first");
  expect_same_weights("second");
}

TEST_F(StartingFromWeights, TakesTheStageOfAModelDirectory) {
  export_model({.runs = {folder_ / "first"}, .out = folder_ / "model", .card = {}, .dtype = torch::kFloat32});
  train("second", standing_still(), folder_ / "model");
  expect_same_weights("second");
}

TEST_F(StartingFromWeights, RefusesWhatDoesNotFit) {
  UpsamplerRun wider = tiny_run();
  wider.model.unet.channels = 16;
  EXPECT_THAT(
      error_of(ErrorKind::checkpoint, [&] { train("wider", wider, folder_ / "first"); }),
      ::testing::AllOf(::testing::HasSubstr("ema.safetensors"), ::testing::HasSubstr("unet.conv_in")));
  EXPECT_FALSE(fs::exists(folder_ / "wider"));
  EXPECT_THAT(error_of(ErrorKind::io, [&] { train("none", tiny_run(), folder_ / "pictures"); }),
              ::testing::HasSubstr("neither a run nor a model directory"));
}

}  // namespace
}  // namespace unclip::train
