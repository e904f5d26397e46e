// `unclip train all` with the tiny preset, shortened: from a folder of pictures to a model that draws.
#include <gtest/gtest.h>

#include <fstream>

#include "support/temporary_folder.h"
#include "unclip/image/encode.h"
#include "unclip/pipeline/unclip.h"
#include "unclip/train/run_folder.h"
#include "unclip/train/stack.h"

namespace unclip::train {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kSide = 256;

/// Twenty-four pictures: a square of one of four colours at one of six places.
void write_pictures(const fs::path& folder) {
  const std::array<std::pair<const char*, std::array<int, 3>>, 4> colours{
      {{"red", {220, 30, 30}}, {"green", {30, 180, 30}}, {"blue", {30, 60, 220}}, {"black", {20, 20, 20}}}};
  const std::array<const char*, 6> places{"top left",    "top",    "top right",
                                          "bottom left", "bottom", "bottom right"};
  fs::create_directories(folder);
  for (const auto& [colour, rgb] : colours) {
    for (size_t place = 0; place < places.size(); ++place) {
      torch::Tensor pixels = torch::full({kSide, kSide, 3}, 255, torch::kUInt8);
      const int64_t x = 20 + 80 * static_cast<int64_t>(place % 3), y = place < 3 ? 40 : 150;
      pixels.slice(0, y, y + 60).slice(1, x, x + 60).copy_(torch::tensor({rgb[0], rgb[1], rgb[2]}));
      const std::string name = std::string(colour) + std::to_string(place);
      image::write_picture(folder / (name + ".png"), pixels);
      std::ofstream(folder / (name + ".txt")) << "a " << colour << " square, " << places[place] << '\n';
    }
  }
}

void shorten(TrainConfig& train, int64_t steps) {
  train.steps = steps;
  train.evaluate_every = steps;
  train.optimizer.ema_decay = 0.95;
  train.lr.warmup_steps = 5;
}

Stack shortened_stack(const data::DatasetReport& report) {
  Stack stack = read_stack(fs::path(UNCLIP_SOURCE_DIR) / "configs/tiny");
  fit_stack(stack, report, {});
  shorten(stack.clip.train, 40);
  shorten(stack.prior.train, 40);
  shorten(stack.decoder.train, 60);
  for (UpsamplerRun& run : stack.upsamplers) shorten(run.train, 10);
  return stack;
}

double mean_difference(const torch::Tensor& a, const torch::Tensor& b) {
  return (a - b).abs().mean().item<double>();
}

TEST(TrainAll, TurnsAFolderIntoAModelAndGoesOnWhereItStopped) {
  const testing::TemporaryFolder folder;
  write_pictures(folder / "pictures");
  const std::vector<std::string> data{(folder / "pictures").string()};
  const auto progress = silent_progress();
  const data::DatasetReport report = data::inspect(data::Dataset::open(data), *progress);
  EXPECT_EQ(report.samples, 24);
  check_trainable(report);
  const Stack stack = shortened_stack(report);
  std::vector<std::string> verdicts;
  StackRequest request{
      .data = data,
      .validation = {},
      .from = {},
      .out = folder / "model",
      .resume = false,
      .command = "unclip train all pictures",
      .observer = [&](const std::string& stage, int64_t /*step*/, const std::string& verdict) {
        verdicts.push_back(stage + " " + verdict);
      }};
  train_stack(stack, request, *progress);
  EXPECT_EQ(verdicts.size(), 4U);

  const model::ModelDirectory model(folder / "model");
  for (const char* stage : {"clip", "prior", "decoder", "upsampler_256"})
    EXPECT_TRUE(model.has(stage)) << stage;
  EXPECT_EQ(model.manifest().name, "model");
  pipeline::Unclip unclip(folder / "model", torch::kFloat32);
  const auto draw = [&] {
    return unclip
        .generate({.captions = {"a red square, top"}, .seeds = {3}, .sampling = {.size = 256}}, *progress)
        .pictures;
  };
  const torch::Tensor drawn = draw();
  EXPECT_EQ(drawn.size(2), kSide);

  // A second call trains nothing more; a changed configuration is refused before anything is touched.
  EXPECT_THROW(train_stack(stack, request, *progress), Error);
  request.resume = true;
  train_stack(stack, request, *progress);
  EXPECT_EQ(mean_difference(draw(), drawn), 0.0);
  Stack other = stack;
  other.prior.model.transformer.layers = 1;
  EXPECT_THROW(train_stack(other, request, *progress), Error);
  EXPECT_EQ(mean_difference(draw(), drawn), 0.0);
}

}  // namespace
}  // namespace unclip::train
