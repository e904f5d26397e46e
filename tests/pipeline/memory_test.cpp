// Drawing within a budget: nothing changes but what is in memory.
#include "unclip/pipeline/memory.h"

#include <gmock/gmock.h>

#include "support/error_of.h"
#include "unclip/model/weights.h"
#include "unclip/pipeline/unclip.h"

namespace unclip::pipeline {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using testing::error_of;
using ::testing::HasSubstr;

const fs::path kKarlo = fs::path(UNCLIP_FIXTURES) / "karlo";
constexpr int64_t kEnough = int64_t{4} << 30;

const SamplingOptions kShort{.prior_steps = "2", .steps = "2", .upsampler_steps = {"3"}};

NetworksOptions within(torch::ScalarType dtype, std::optional<int64_t> memory) {
  if (!memory) return {.dtype = dtype};
  return {.dtype = dtype, .keep = Keep::in_turn, .budget = *memory};
}

Pictures draw(const fs::path& folder, torch::ScalarType dtype, std::optional<int64_t> memory) {
  const Unclip model(folder, within(dtype, memory));
  return model.generate(
      {.captions = {"a red cat", "a blue dog", "a"}, .seeds = {1, 2, 3}, .sampling = kShort},
      *silent_progress());
}

std::vector<StageNeed> needs_of(const model::Model& model, torch::ScalarType dtype) {
  return stage_needs(model, make_plan(model, {}), dtype);
}

TEST(Memory, NeedsAreThoseOfThePlan) {
  const model::Model model = model::open_model(kKarlo / "full_size");
  std::vector<std::string> names;
  for (const StageNeed& need : needs_of(model, torch::kFloat32)) names.push_back(need.stage);
  EXPECT_THAT(names, ElementsAre("text_encoder", "prior", "decoder", "upsampler_256"));
  Plan small = make_plan(model, {.size = 64});
  EXPECT_EQ(stage_needs(model, small, torch::kFloat32).size(), 3U);
}

TEST(Memory, HalfPrecisionNeedsHalfTheWeights) {
  const model::Model model = model::open_model(kKarlo / "full_size");
  const auto full = needs_of(model, torch::kFloat32), half = needs_of(model, torch::kBFloat16);
  for (size_t i = 0; i < full.size(); ++i) {
    EXPECT_NEAR(static_cast<double>(full[i].weights), 2.0 * static_cast<double>(half[i].weights), 2);
    EXPECT_GE(full[i].weights, int64_t{4} * 120'000'000);
  }
  // The two nets of the last stage take turns where they must.
  EXPECT_EQ(full[3].both_nets, 2 * full[3].weights);
}

TEST(Memory, ABudgetTooSmallSaysWhatIsNeeded) {
  const model::Model model = model::open_model(kKarlo / "full_size");
  const Plan plan = make_plan(model, {});
  const auto refusal = [&](torch::ScalarType dtype, int64_t budget) {
    return error_of(ErrorKind::usage, [&] { check_budget(model, plan, dtype, budget); });
  };
  const std::string message = refusal(torch::kFloat32, int64_t{2} << 30);
  EXPECT_THAT(message, HasSubstr("a budget of 2.0 GiB is too small: the largest stage, "));
  EXPECT_THAT(message, HasSubstr(" in float32 and "));
  EXPECT_THAT(message, HasSubstr("or choose --dtype bf16"));
  EXPECT_THAT(refusal(torch::kBFloat16, int64_t{1} << 30), HasSubstr("in bfloat16; raise --memory"));
  EXPECT_NO_THROW(check_budget(model, plan, torch::kBFloat16, int64_t{8} << 30));
  EXPECT_NO_THROW(check_budget(model, plan, torch::kFloat32, int64_t{8} << 30));
}

TEST(Memory, BatchesFillTheBudgetAndNoMore) {
  const StageNeed need{.stage = "decoder", .weights = 1000, .both_nets = 1000, .working = 100};
  EXPECT_EQ(batch_within(need, kProgramBytes + 1000 + 350, 16), 3);
  EXPECT_EQ(batch_within(need, kProgramBytes + 1000 + 9999, 16), 16);
  EXPECT_EQ(batch_within(need, 0, 16), 1);
}

TEST(Memory, PicturesAreTheSameWithinABudget) {
  for (const torch::ScalarType dtype : {torch::kFloat32, torch::kBFloat16}) {
    const Pictures free = draw(kKarlo / "generating", dtype, {}),
                   kept = draw(kKarlo / "generating", dtype, kEnough);
    EXPECT_TRUE(torch::equal(kept.z_i, free.z_i)) << dtype;
    EXPECT_TRUE(torch::equal(kept.pictures, free.pictures)) << dtype;
  }
}

TEST(Memory, NetsThatTakeTurnsDrawTheSame) {
  const model::Model model = model::open_model(kKarlo / "generating");
  const StageNeed last = stage_needs(model, make_plan(model, kShort), torch::kFloat32).back();
  const int64_t tight = kProgramBytes + last.both_nets + last.working - 1;
  int64_t needed = 0;
  for (const StageNeed& need : stage_needs(model, make_plan(model, kShort), torch::kFloat32))
    needed = std::max(needed, need.least());
  const Unclip kept(kKarlo / "generating", within(torch::kFloat32, std::max(tight, needed)));
  const Pictures free = draw(kKarlo / "generating", torch::kFloat32, {});
  const Pictures drawn =
      kept.generate({.captions = {"a red cat", "a blue dog", "a"}, .seeds = {1, 2, 3}, .sampling = kShort},
                    *silent_progress());
  EXPECT_TRUE(torch::allclose(drawn.pictures, free.pictures, 1e-4, 1e-4));
}

TEST(Memory, VariationsWithinABudget) {
  const auto vary = [](std::optional<int64_t> memory) {
    const Unclip model(kKarlo / "varying", within(torch::kFloat32, memory));
    const torch::Tensor picture = torch::arange(30 * 40 * 3).remainder(251).to(torch::kUInt8);
    return model
        .vary({.picture = picture.view({30, 40, 3}),
               .seeds = {1, 2},
               .sampling = {.steps = "2", .upsampler_steps = {"2"}}},
              *silent_progress())
        .pictures;
  };
  EXPECT_TRUE(torch::equal(vary(kEnough), vary({})));
}

TEST(PageReleaser, GivesPagesBackAndLeavesNumbersAsTheyAre) {
  const model::Model model = model::open_model(kKarlo / "generating");
  decoder::Decoder net(model.decoder->config);
  std::vector<torch::Tensor> mapped;
  model::load_frozen(*net, model.decoder->weights, {}, &mapped);
  ASSERT_FALSE(mapped.empty());
  std::vector<torch::Tensor> before;
  for (const torch::Tensor& weight : mapped) before.push_back(weight.clone());
  PageReleaser releaser;
  releaser.add(mapped);
  for (int i = 0; i < 3; ++i) releaser.release();
  for (size_t i = 0; i < mapped.size(); ++i) EXPECT_TRUE(torch::equal(mapped[i], before[i]));
}

}  // namespace
}  // namespace unclip::pipeline
