// One loaded model, four threads: each draws what it would draw alone. The preset tsan runs this under
// ThreadSanitizer, which sees this project's code; LibTorch and OpenMP are not instrumented, so each thread
// computes alone.
#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "support/tiny_model.h"
#include "unclip/base/runtime.h"
#include "unclip/pipeline/manipulations.h"
#include "unclip/pipeline/upscaling.h"

namespace unclip::pipeline {
namespace {

torch::Tensor some_picture(int64_t height, int64_t width) {
  return torch::arange(height * width * 3).remainder(251).to(torch::kUInt8).view({height, width, 3});
}

using Request = std::function<torch::Tensor(const Unclip& model)>;

torch::Tensor generated(const Unclip& model,
                        const std::vector<std::string>& captions,
                        SamplingOptions sampling) {
  std::vector<uint64_t> seeds(captions.size(), 5);
  return model
      .generate({.captions = captions, .seeds = seeds, .sampling = std::move(sampling)}, *silent_progress())
      .pictures;
}

/// Requests that meet in the same networks with other batches, sizes of maps, timesteps and guidance.
std::vector<Request> requests() {
  return {[](const Unclip& model) { return generated(model, {"a red heart"}, {.size = 32}); },
          [](const Unclip& model) {
            return generated(model, {"a blue cat", "a", "a red heart"},
                             {.guidance = 2.0, .prior_steps = "3", .steps = "4", .size = 16});
          },
          [](const Unclip& model) {
            return model
                .vary({.picture = some_picture(30, 40), .seeds = {1, 2}, .sampling = {.size = 32}},
                      *silent_progress())
                .pictures;
          },
          [](const Unclip& model) {
            const UpscaleRequest request{
                .pictures = {{"one", some_picture(16, 16)}, {"two", some_picture(16, 24)}},
                .from = {},
                .seeds = {3, 4},
                .sampling = {}};
            const auto pictures = upscale(model, request, *silent_progress()).pictures;
            return torch::cat({pictures[0].flatten(), pictures[1].flatten()});
          }};
}

void expect_each_equals_itself_alone(const NetworksOptions& options) {
  testing::TemporaryFolder folder;
  testing::write_tiny_model(folder / "model");
  const std::vector<Request> work = requests();
  std::vector<torch::Tensor> alone(work.size()), together(work.size());
  for (size_t i = 0; i < work.size(); ++i) alone[i] = work[i](Unclip(folder / "model", options));
  const Unclip shared(folder / "model", options);
  for (int round = 0; round < 3; ++round) {  // in the first one the threads meet while networks are loaded
    {
      std::vector<std::jthread> threads;
      for (size_t i = 0; i < work.size(); ++i) {
        threads.emplace_back([&, i] {
          set_up_compute(1);
          together[i] = work[i](shared);
        });
      }
    }
    for (size_t i = 0; i < work.size(); ++i) EXPECT_TRUE(torch::equal(together[i], alone[i])) << i;
  }
}

class SharedModel : public ::testing::Test {
 protected:
  SharedModel() { set_up_compute(1); }
};

TEST_F(SharedModel, FourThreadsDrawWhatEachDrawsAlone) { expect_each_equals_itself_alone({}); }

TEST_F(SharedModel, AlsoWhenNetworksComeAndGo) {
  expect_each_equals_itself_alone({.keep = Keep::in_turn, .budget = int64_t{1} << 32});
}

}  // namespace
}  // namespace unclip::pipeline
