// Networks that are loaded once and shared: what stays in memory, what goes, and what several threads see.
#include "unclip/pipeline/networks.h"

#include <gmock/gmock.h>

#include <thread>

#include "support/error_of.h"
#include "support/tiny_model.h"
#include "unclip/model/weights.h"

namespace unclip::pipeline {
namespace {

class NetworksTest : public ::testing::Test {
 protected:
  NetworksTest() { testing::write_tiny_model(folder_ / "model"); }
  std::shared_ptr<Networks> open(const NetworksOptions& options = {}) const {
    return std::make_shared<Networks>(model::open_model(folder_ / "model"), options);
  }
  /// Of the estimates that budgets are kept by.
  int64_t decoder_bytes() const {
    const model::Model model = model::open_model(folder_ / "model");
    return weight_bytes<decoder::Decoder>(model.decoder->config, torch::kFloat32);
  }
  int64_t prior_bytes() const {
    const model::Model model = model::open_model(folder_ / "model");
    return weight_bytes<prior::DiffusionPrior>(model.prior->config, torch::kFloat32);
  }
  testing::TemporaryFolder folder_;
};

TEST_F(NetworksTest, ASecondDrawingLoadsNothing) {
  const Unclip model(open());
  const GenerateRequest request{.captions = {"a red heart"}, .seeds = {1}, .sampling = {.size = 32}};
  const torch::Tensor first = model.generate(request, *silent_progress()).pictures;
  const int64_t loads = model.networks().load_count();
  EXPECT_EQ(loads, 4);  // text encoder, prior, decoder, upsampler
  EXPECT_TRUE(torch::equal(model.generate(request, *silent_progress()).pictures, first));
  EXPECT_EQ(model.networks().load_count(), loads);
}

TEST_F(NetworksTest, WithoutABudgetAllStay) {
  const auto networks = open();
  const auto* const decoder = networks->decoder().get();
  networks->prior();
  networks->text_encoder();
  EXPECT_EQ(networks->decoder().get(), decoder);
  EXPECT_EQ(networks->load_count(), 3);
}

TEST_F(NetworksTest, WithinABudgetTheLongestUnusedGoes) {
  const int64_t room = kProgramBytes + decoder_bytes() + prior_bytes();
  const auto networks = open({.keep = Keep::within_budget, .budget = room});
  networks->prior();
  networks->decoder();
  networks->prior();  // still there, and now the last used
  EXPECT_EQ(networks->load_count(), 2);
  networks->text_encoder();
  EXPECT_EQ(networks->load_count(), 3);
  networks->prior();
  EXPECT_EQ(networks->load_count(), 3);
  networks->decoder();
  EXPECT_EQ(networks->load_count(), 4);  // it had gone for the text encoder
}

TEST_F(NetworksTest, InTurnOnlyWhatIsInUseStays) {
  const auto networks = open({.keep = Keep::in_turn, .budget = int64_t{1} << 32});
  {
    const auto held = networks->decoder();
    networks->prior();
    networks->decoder();
    EXPECT_EQ(networks->load_count(), 2);  // the decoder could not go
  }
  networks->text_encoder();
  EXPECT_EQ(networks->load_count(), 3);
  networks->decoder();
  EXPECT_EQ(networks->load_count(), 4);  // it went when the text encoder came
}

TEST_F(NetworksTest, OneThreadLoadsWhileOthersWait) {
  const auto networks = open();
  std::vector<decoder::Decoder> decoders(8, nullptr);
  {
    std::vector<std::jthread> threads;
    for (auto& decoder : decoders) threads.emplace_back([&] { decoder = networks->decoder(); });
  }
  EXPECT_EQ(networks->load_count(), 1);
  for (const auto& decoder : decoders) EXPECT_EQ(decoder.get(), decoders.front().get());
}

TEST_F(NetworksTest, WhoFindsNoRoomWaitsUntilOthersAreDone) {
  const auto networks =
      open({.keep = Keep::within_budget, .budget = kProgramBytes + std::max(decoder_bytes(), prior_bytes())});
  auto held = networks->decoder();
  std::atomic<bool> loaded = false;
  std::jthread other([&] {
    networks->prior();
    loaded = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_FALSE(loaded);
  held = nullptr;
  other.join();
  EXPECT_TRUE(loaded);
}

TEST_F(NetworksTest, ALoadThatFailsMayBeTriedAgain) {
  const auto networks = open();
  const auto file = folder_ / "model" / "decoder" / "model.safetensors", hidden = folder_ / "hidden";
  std::filesystem::rename(file, hidden);
  EXPECT_THAT(testing::error_of(ErrorKind::io, [&] { networks->decoder(); }),
              ::testing::HasSubstr("decoder"));
  std::filesystem::rename(hidden, file);
  EXPECT_NO_THROW(networks->decoder());
  EXPECT_EQ(networks->load_count(), 1);
}

TEST_F(NetworksTest, WhatWasHandedOutOutlivesThem) {
  auto networks = open();
  const decoder::Decoder decoder = networks->decoder();
  networks = nullptr;
  EXPECT_EQ(decoder->config().unet.size, 16);
}

TEST_F(NetworksTest, AMissingStageIsNamed) {
  EXPECT_THAT(testing::error_of(ErrorKind::checkpoint, [&] { open()->inpainting_decoder(); }),
              ::testing::HasSubstr("has no stage 'decoder_inpaint'"));
}

}  // namespace
}  // namespace unclip::pipeline
