// The training loop on a small real data set: exact resume, run folders, divergence.
#include "unclip/train/trainer.h"

#include <gmock/gmock.h>

#include <fstream>

#include "support/close.h"
#include "support/error_of.h"
#include "support/temporary_folder.h"
#include "unclip/data/loader.h"
#include "unclip/image/encode.h"
#include "unclip/io/state.h"
#include "unclip/nn/layers.h"

namespace unclip::train {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;
using testing::TemporaryFolder;

void make_pictures(const fs::path& folder) {
  fs::create_directories(folder);
  for (int i = 0; i < 12; ++i) {
    const auto pixels = (uniform_noise({1, static_cast<uint64_t>(i), 0}, {8, 8, 3}) * 255).to(torch::kUInt8);
    const std::string name = "p" + std::to_string(i);
    image::write_picture(folder / (name + ".png"), pixels);
    std::ofstream(folder / (name + ".txt")) << "picture " << i << "\n";
  }
}

/// A network with dropout that predicts a picture's mean colour: everything random is in it.
struct TinyNetImpl : torch::nn::Module {
  TinyNetImpl()
      : hidden(register_module("hidden", nn::Linear(192, 16))),
        out(register_module("out", nn::Linear(16, 3))) {}
  torch::Tensor forward(const torch::Tensor& x) {
    return out(at::dropout(at::gelu(hidden(x)), 0.2, is_training()));
  }
  nn::Linear hidden, out;
};
TORCH_MODULE(TinyNet);

class TinyStage final : public Stage {
 public:
  explicit TinyStage(int64_t poisoned_step = -1) : poisoned_step_(poisoned_step) {
    nn::initialize_parameters(*net_, 3);
  }
  torch::nn::Module& network() override { return *net_; }
  StepLoss loss(const data::Batch& batch, const NoiseKey& key) override {
    const torch::Tensor x = batch.pictures.to(torch::kFloat32).div(255).flatten(1);
    const torch::Tensor noise = normal_noise({key.seed, key.stream, key.step}, x.sizes()) * 0.1;
    const torch::Tensor target = batch.pictures.to(torch::kFloat32).div(255).mean({2, 3});
    torch::Tensor value = at::mse_loss(net_(x + noise), target);
    if (static_cast<int64_t>(key.step) == poisoned_step_) value = value / 0.0;
    return {value, {}};
  }
  Metrics evaluate(const fs::path&) override { return {{"figure", 1.0}}; }

 private:
  TinyNet net_;
  int64_t poisoned_step_;
};

Checkpoint latest(const fs::path& run) {
  auto checkpoint = RunFolder(run).load_latest();
  if (!checkpoint) throw std::runtime_error("no checkpoint in " + run.string());
  return std::move(*checkpoint);
}

struct Setting {
  TemporaryFolder folder;
  TrainConfig config{.steps = 20, .accumulation = 2, .precision = Precision::fp32, .evaluate_every = 7};
  std::shared_ptr<data::Dataset> dataset;
  data::LoaderConfig loader{
      .batch_size = 5, .workers = 2, .picture = {.size = 8, .scale = 0.1, .shift = 0.1}};

  Setting() {
    make_pictures(folder / "data");
    dataset = std::make_shared<data::Dataset>(
        data::Dataset::open(std::vector<std::string>{(folder / "data").string()}));
  }
  io::NamedTensors train(const std::string& run, int64_t steps, int64_t poisoned_step = -1) {
    TinyStage stage(poisoned_step);
    TrainConfig shortened = config;
    shortened.steps = steps;
    const auto progress = silent_progress();
    fs::create_directories(folder / run / "checkpoints");
    const RunFolder run_folder(folder / run);
    Trainer trainer({.stage = stage,
                     .config = shortened,
                     .folder = run_folder,
                     .make_loader =
                         [this](const data::LoaderState& start) {
                           return std::make_unique<data::Loader>(dataset, loader, data::LoaderSeed{.seed = 1},
                                                                 start);
                         },
                     .progress = *progress});
    trainer.run();
    return latest(folder / run).tensors.ema;
  }
};

void expect_exact_resume(Setting& setting) {
  const io::NamedTensors straight = setting.train("straight", 20);
  setting.train("interrupted", 10);
  const io::NamedTensors resumed = setting.train("interrupted", 20);  // a new process would do the same
  ASSERT_EQ(straight.size(), resumed.size());
  for (const auto& [name, tensor] : straight) EXPECT_TRUE(torch::equal(tensor, resumed.at(name))) << name;
  const Checkpoint a = latest(setting.folder / "straight"), b = latest(setting.folder / "interrupted");
  EXPECT_EQ(a.position.data, b.position.data);
  for (const auto& [name, tensor] : a.tensors.optimizer)
    EXPECT_TRUE(torch::equal(tensor, b.tensors.optimizer.at(name))) << name;
  for (const auto& [name, tensor] : a.tensors.model)
    EXPECT_TRUE(torch::equal(tensor, b.tensors.model.at(name))) << name;
}

TEST(Trainer, ResumesBitForBit) {
  Setting setting;
  expect_exact_resume(setting);
}

TEST(Trainer, ResumesBitForBitWithMuon) {
  Setting setting;
  setting.config.optimizer.muon_momentum = 0.9;
  expect_exact_resume(setting);
}

TEST(Trainer, StopsAtALossThatIsNotFiniteWithTheCheckpointIntact) {
  Setting setting;
  setting.train("run", 4);
  try {
    setting.train("run", 20, /*poisoned_step=*/15);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::numeric);
    EXPECT_NE(std::string(error.what()).find("step 7"), std::string::npos) << error.what();
  }
  EXPECT_EQ(latest(setting.folder / "run").position.step, 4);
}

TEST(RunFolder, RefusesAnotherConfigurationAndASecondStart) {
  const TemporaryFolder folder;
  const RunFolder run(folder / "run");
  const DataRecord data{.pictures = 9, .fingerprint = "a"};
  run.create(R"({"a": {"b": 1}})", "train", data);
  EXPECT_THROW(run.create(R"({"a": {"b": 1}})", "train", data), Error);
  check_same_config(run.stored_config(), R"({"a": {"b": 1}})", run.path());
  try {
    check_same_config(run.stored_config(), R"({"a": {"b": 2}})", run.path());
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("/a/b"), std::string::npos) << error.what();
  }
}

TEST(RunFolder, RefusesOtherData) {
  const TemporaryFolder folder;
  const RunFolder run(folder / "run");
  run.create("{}", "train", {.pictures = 9, .fingerprint = "a"});
  run.check_same_data({.pictures = 9, .fingerprint = "a"});
  const auto complaint = [&](const DataRecord& given) {
    return testing::error_of(ErrorKind::config, [&] { run.check_same_data(given); });
  };
  EXPECT_THAT(complaint({.pictures = 10, .fingerprint = "b"}), HasSubstr("9 pictures then, 10 now;"));
  EXPECT_THAT(complaint({.pictures = 9, .fingerprint = "b"}), HasSubstr("9 now, of other names or captions"));
}

TEST(RunFolder, KeepsTheNewestCheckpointsAndIgnoresUnfinishedOnes) {
  const TemporaryFolder folder;
  const RunFolder run(folder / "run");
  run.create("{}", "train", {});
  for (const int64_t step : {9, 10, 100}) {
    run.save({.position = {.step = step}, .tensors = {{{"w", torch::full({2}, step)}}, {}, {}}}, 2);
  }
  fs::create_directories(folder / "run/checkpoints/.writing");
  EXPECT_FALSE(fs::exists(folder / "run/checkpoints/step-9"));
  EXPECT_EQ(latest(run.path()).position.step, 100);
  EXPECT_EQ(latest(run.path()).tensors.model.at("w")[0].item<int64_t>(), 100);
}

}  // namespace
}  // namespace unclip::train
