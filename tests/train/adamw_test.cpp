#include "unclip/train/adamw.h"

#include "support/close.h"
#include "unclip/train/lr_schedule.h"

namespace unclip::train {
namespace {

torch::Tensor parameter(std::vector<float> values) { return torch::tensor(values).set_requires_grad(true); }

TEST(AdamW, FirstStepIsTheSignOfTheGradient) {
  torch::Tensor p = parameter({1.0F, -2.0F, 3.0F});
  AdamW optimizer({{"p", p}}, {.weight_decay = 0.5, .clip_norm = 0.0});
  p.mutable_grad() = torch::tensor({0.3F, -0.1F, 7.0F});
  optimizer.step(0.01);
  // p·(1 − lr·wd) − lr·sign(g): the first moments' corrections cancel
  EXPECT_CLOSE(p, torch::tensor({0.995F - 0.01F, -1.99F + 0.01F, 2.985F - 0.01F}), {.absolute = 1e-6});
}

TEST(AdamW, ClipsTheNormOfAllGradientsTogether) {
  torch::Tensor a = parameter({0.0F}), b = parameter({0.0F});
  AdamW optimizer({{"a", a}, {"b", b}}, {.clip_norm = 1.0});
  a.mutable_grad() = torch::tensor({30.0F});
  b.mutable_grad() = torch::tensor({40.0F});
  EXPECT_NEAR(optimizer.step(0.1).gradient_norm, 50.0, 1e-4);
  EXPECT_CLOSE(optimizer.tensors()[0].mean, torch::tensor({0.1F * 0.6F}), {.absolute = 1e-6});
}

TEST(AdamW, NamesAGradientThatIsNotFiniteAndChangesNothing) {
  torch::Tensor a = parameter({1.0F}), b = parameter({1.0F, 2.0F});
  AdamW optimizer({{"a", a}, {"layer.b", b}}, {});
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

TEST(AdamW, AveragesTheWeights) {
  torch::Tensor p = parameter({0.0F});
  AdamW optimizer({{"p", p}}, {.ema_decay = 0.9, .ema_warmup = false});
  double expected = 0.0;
  for (int step = 0; step < 5; ++step) {
    p.mutable_grad() = torch::tensor({-1.0F});
    optimizer.step(0.1);
    expected = 0.9 * expected + 0.1 * p.item<double>();
  }
  EXPECT_NEAR(optimizer.tensors()[0].ema.item<double>(), expected, 1e-6);
}

TEST(AdamW, ReadsGradientsOfAnotherMemoryOrder) {
  torch::Tensor p = torch::zeros({2, 3, 4, 4}).set_requires_grad(true);
  AdamW optimizer({{"p", p}}, {.clip_norm = 0.0});
  const torch::Tensor gradient = torch::randn({2, 3, 4, 4});
  p.mutable_grad() = gradient.contiguous(at::MemoryFormat::ChannelsLast);
  optimizer.step(1.0);
  EXPECT_CLOSE(p, -gradient.sign(), {.absolute = 1e-3});
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
