#include "unclip/train/optimizer.h"

#include "support/close.h"
#include "support/fixture.h"
#include "unclip/train/lr_schedule.h"
#include "unclip/train/muon.h"

namespace unclip::train {
namespace {

torch::Tensor parameter(std::vector<float> values) { return torch::tensor(values).set_requires_grad(true); }

TEST(Optimizer, FirstStepIsTheSignOfTheGradient) {
  torch::Tensor p = parameter({1.0F, -2.0F, 3.0F});
  Optimizer optimizer({{"p", p}}, {.weight_decay = 0.5, .clip_norm = 0.0});
  p.mutable_grad() = torch::tensor({0.3F, -0.1F, 7.0F});
  optimizer.step(0.01);
  // p·(1 − lr·wd) − lr·sign(g): the first moments' corrections cancel
  EXPECT_CLOSE(p, torch::tensor({0.995F - 0.01F, -1.99F + 0.01F, 2.985F - 0.01F}), {.absolute = 1e-6});
}

TEST(Optimizer, ClipsTheNormOfAllGradientsTogether) {
  torch::Tensor a = parameter({0.0F}), b = parameter({0.0F});
  Optimizer optimizer({{"a", a}, {"b", b}}, {.clip_norm = 1.0});
  a.mutable_grad() = torch::tensor({30.0F});
  b.mutable_grad() = torch::tensor({40.0F});
  EXPECT_NEAR(optimizer.step(0.1).gradient_norm, 50.0, 1e-4);
  EXPECT_CLOSE(optimizer.tensors()[0].mean, torch::tensor({0.1F * 0.6F}), {.absolute = 1e-6});
}

TEST(Optimizer, NamesAGradientThatIsNotFiniteAndChangesNothing) {
  torch::Tensor a = parameter({1.0F}), b = parameter({1.0F, 2.0F});
  Optimizer optimizer({{"a", a}, {"layer.b", b}}, {});
  a.mutable_grad() = torch::tensor({1.0F});
  b.mutable_grad() = torch::tensor({1.0F, std::numeric_limits<float>::quiet_NaN()});
  try {
    optimizer.step(0.1);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::numeric);
    EXPECT_NE(std::string(error.what()).find("'layer.b'"), std::string::npos);
  }
  EXPECT_EQ(a.item<float>(), 1.0F);
  EXPECT_EQ(optimizer.steps(), 0);
}

TEST(Optimizer, AveragesTheWeights) {
  torch::Tensor p = parameter({0.0F});
  Optimizer optimizer({{"p", p}}, {.ema_decay = 0.9, .ema_warmup = false});
  double expected = 0.0;
  for (int step = 0; step < 5; ++step) {
    p.mutable_grad() = torch::tensor({-1.0F});
    optimizer.step(0.1);
    expected = 0.9 * expected + 0.1 * p.item<double>();
  }
  EXPECT_NEAR(optimizer.tensors()[0].ema.item<double>(), expected, 1e-6);
}

TEST(Optimizer, ReadsGradientsOfAnotherMemoryOrder) {
  torch::Tensor p = torch::zeros({2, 3, 4, 4}).set_requires_grad(true);
  Optimizer optimizer({{"p", p}}, {.clip_norm = 0.0});
  const torch::Tensor gradient = torch::randn({2, 3, 4, 4});
  p.mutable_grad() = gradient.contiguous(at::MemoryFormat::ChannelsLast);
  optimizer.step(1.0);
  EXPECT_CLOSE(p, -gradient.sign(), {.absolute = 1e-3});
}

TEST(Muon, KeepsSingularVectorsAndLevelsSingularValues) {
  for (const auto& [rows, columns] : std::vector<std::pair<int64_t, int64_t>>{{12, 40}, {40, 12}, {16, 16}}) {
    const torch::Tensor matrix = torch::randn({rows, columns});
    const auto [u, s, v] = torch::linalg_svd(matrix, /*full_matrices=*/false);
    const torch::Tensor inner = u.t().matmul(orthogonalized(matrix)).matmul(v.t());
    const torch::Tensor values = inner.diagonal();
    EXPECT_CLOSE(inner, torch::diag(values), {.absolute = 1e-4});
    // Singular values under a thousandth of the norm stay short of 0.7; random matrices have them.
    EXPECT_GT(values.masked_select(s > 0.01 * matrix.norm()).min().item<double>(), 0.6);
    EXPECT_LT(values.max().item<double>(), 1.25);
  }
}

TEST(Muon, StepsAsPyTorchDoes) {
  const testing::Fixture fixture("train/muon");
  for (const std::string shape : {"wide", "tall", "square"}) {
    torch::Tensor p = fixture["weight." + shape].set_requires_grad(true);
    Optimizer optimizer({{"p", p}}, {.weight_decay = 0.1, .muon_momentum = 0.95, .clip_norm = 0.0});
    const torch::Tensor gradients = fixture["grad." + shape];
    for (int64_t step = 0; step < gradients.size(0); ++step) {
      p.mutable_grad() = gradients[step].clone();
      optimizer.step(0.02);
    }
    EXPECT_CLOSE(p, fixture["final." + shape], {.absolute = 1e-5}) << shape;
  }
}

TEST(Muon, LearnsConvolutionsAsMatricesAndLeavesTheRestToAdam) {
  const torch::Tensor start = torch::randn({8, 3, 3, 3});
  const torch::Tensor gradient = torch::randn({8, 3, 3, 3});
  torch::Tensor hidden = start.contiguous(at::MemoryFormat::ChannelsLast).clone().set_requires_grad(true);
  torch::Tensor bias = torch::zeros({8}).set_requires_grad(true);
  torch::Tensor table = torch::zeros({8, 4}).set_requires_grad(true);
  Optimizer optimizer(
      {{"block.conv1.weight", hidden}, {"block.conv1.bias", bias}, {"text.token_embedding.weight", table}},
      {.muon_momentum = 0.95, .clip_norm = 0.0, .ema_decay = 0.5, .ema_warmup = false});
  hidden.mutable_grad() = gradient.clone();
  bias.mutable_grad() = torch::full({8}, 3.0F);
  table.mutable_grad() = torch::full({8, 4}, -2.0F);
  optimizer.step(0.01);
  const torch::Tensor matrix = gradient.flatten(1);
  const torch::Tensor expected =
      start - 0.01 * muon_scale(matrix) * orthogonalized(matrix).reshape(start.sizes());
  EXPECT_CLOSE(hidden, expected, {.absolute = 1e-5});
  EXPECT_CLOSE(optimizer.tensors()[0].ema, (start + expected) / 2, {.absolute = 1e-5});
  EXPECT_CLOSE(bias, torch::full({8}, -0.01F), {.absolute = 1e-6});
  EXPECT_CLOSE(table, torch::full({8, 4}, 0.01F), {.absolute = 1e-6});
}

TEST(LrSchedule, WarmsUpAndDecays) {
  const LrScheduleConfig config{.warmup_steps = 10, .decay = Decay::cosine, .final_fraction = 0.1};
  EXPECT_NEAR(lr_factor(config, 0, 110), 0.1, 1e-12);
  EXPECT_NEAR(lr_factor(config, 9, 110), 1.0, 1e-12);
  EXPECT_NEAR(lr_factor(config, 60, 110), 0.55, 1e-12);
  EXPECT_NEAR(lr_factor(config, 110, 110), 0.1, 1e-12);
  EXPECT_NEAR(lr_factor({.decay = Decay::linear}, 25, 100), 0.75, 1e-12);
  EXPECT_EQ(lr_factor({}, 77, 100), 1.0);
}

}  // namespace
}  // namespace unclip::train
