#include "unclip/diffusion/loss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "diffusion/fixture.h"
#include "support/close.h"
#include "unclip/base/error.h"
#include "unclip/base/noise.h"

namespace unclip::diffusion {
namespace {

struct Recorded {
  explicit Recorded(ScheduleKind kind) : name(enum_name(kind)) {
    config.schedule.kind = kind;
    config.learn_sigma = true;
    batch = {in("x_0"), in("timestep"), in("epsilon"), in("x_t")};
  }
  Tensor in(const std::string& key) const { return file.tensor(name + ".in." + key).clone(); }
  Tensor out(const std::string& key) const { return file.tensor(name + ".out." + key).clone(); }

  std::string name;
  io::SafetensorsFile file = unclip::testing::diffusion_fixture("vlb");
  DiffusionConfig config;
  NoisedBatch batch;
};

constexpr std::array kKinds{ScheduleKind::cosine, ScheduleKind::linear};

TEST(VariationalBound, MatchesFiftyDigits) {
  for (const auto kind : kKinds) {
    const Recorded recorded(kind);
    const NoiseSchedule schedule(recorded.config.schedule);
    const Gaussian q = q_posterior(schedule, recorded.batch.x_0, recorded.batch.x_t, recorded.batch.t);
    EXPECT_CLOSE(q.mean, recorded.out("posterior_mean"), {1e-10, 1e-10});
    EXPECT_CLOSE(q.log_variance.flatten(), recorded.out("posterior_log_variance_clipped"), {1e-9, 1e-10});
    EXPECT_CLOSE(
        torch::tensor(schedule.posterior_variances(), torch::kFloat64).index_select(0, recorded.batch.t),
        recorded.out("posterior_variance"), {1e-13, 1e-10});
    const Gaussian p{recorded.out("model_mean"), recorded.out("model_log_variance")};
    EXPECT_CLOSE(gaussian_kl(q, p), recorded.out("kl"), {1e-9, 1e-9});
    EXPECT_CLOSE(discretized_nll(recorded.batch.x_0, p), recorded.out("nll"), {1e-8, 1e-9});
    EXPECT_CLOSE(discretized_nll(recorded.batch.x_0, p)[0], recorded.out("nll_erf")[0], {5e-2, 5e-2});
    EXPECT_CLOSE(variational_bound(schedule, recorded.batch, p), recorded.out("vlb_bits"), {1e-9, 1e-9});
  }
}

TEST(HybridLoss, TrainsTheVarianceThroughTheBoundAlone) {
  for (const auto kind : kKinds) {
    const Recorded recorded(kind);
    Tensor eps = recorded.in("epsilon").requires_grad_(), v = recorded.in("v").requires_grad_();
    NoisedBatch batch = recorded.batch;
    batch.eps = torch::zeros_like(batch.eps);  // the squared error is then ε̂²
    const LossTerms terms = DiffusionLoss(recorded.config, {})(batch, torch::cat({eps, v}, 1));
    EXPECT_CLOSE(*terms.vb, recorded.out("vlb_bits"), {1e-9, 1e-9});
    EXPECT_CLOSE(terms.mse, eps.square().mean({1, 2, 3}), {1e-12, 1e-12});
    EXPECT_CLOSE(terms.total, terms.mse + *terms.vb, {1e-12, 1e-12});
    terms.total.sum().backward();
    EXPECT_CLOSE(v.grad(), recorded.out("grad_v"), {1e-8, 1e-8});
    EXPECT_CLOSE(eps.grad(), 2 * eps / 12, {1e-12, 1e-12});  // nothing of the bound reaches ε̂
  }
}

TEST(HybridLoss, HoldsInFloat32) {
  for (const auto kind : kKinds) {
    const Recorded recorded(kind);
    const auto single = [](const Tensor& x) { return x.to(torch::kFloat32); };
    const NoisedBatch batch{single(recorded.batch.x_0), recorded.batch.t, single(recorded.batch.eps),
                            single(recorded.batch.x_t)};
    const Tensor output = torch::cat({single(recorded.in("epsilon")), single(recorded.in("v"))}, 1);
    const LossTerms terms = DiffusionLoss(recorded.config, {})(batch, output);
    EXPECT_EQ(terms.vb->scalar_type(), torch::kFloat32);
    EXPECT_CLOSE(*terms.vb, recorded.out("vlb_bits"), {2e-3, 2e-3});
    const LossTerms half = DiffusionLoss(recorded.config, {})(batch, output.to(torch::kBFloat16));
    EXPECT_TRUE(half.total.isfinite().all().item<bool>());
    EXPECT_EQ(half.total.scalar_type(), torch::kFloat32);
  }
}

TEST(HybridLoss, WeightFollowsTheChainLength) {
  Recorded recorded(ScheduleKind::cosine);
  recorded.config.schedule.steps = 4000;
  const Tensor output = torch::cat({recorded.in("epsilon"), recorded.in("v")}, 1);
  const LossTerms terms = DiffusionLoss(recorded.config, {.min_snr_gamma = std::nullopt, .vb_weight = 0.5})(
      recorded.batch, output);
  EXPECT_CLOSE(terms.total, terms.mse + 0.5 * 4.0 * *terms.vb, {1e-12, 1e-12});
}

TEST(MinSnr, WeightsAreOneLossInThreeParameterizations) {
  const NoiseSchedule schedule((ScheduleConfig()));
  const double gamma = 5.0, data_std = 0.5;
  const auto of_x_0 = min_snr_weights(schedule, Parameterization::x_0, gamma, data_std);
  const auto of_eps = min_snr_weights(schedule, Parameterization::epsilon, gamma, data_std);
  const auto of_v = min_snr_weights(schedule, Parameterization::v, gamma, data_std);
  for (const size_t t : {0U, 100U, 300U, 500U, 999U}) {
    const double a = schedule.alpha_bars()[t], snr = 0.25 * a / (1 - a);
    EXPECT_NEAR(of_x_0[t], std::min(snr, gamma), 1e-12);
    EXPECT_NEAR(of_eps[t] * snr, of_x_0[t], 1e-9);
    EXPECT_NEAR(of_v[t] * (snr + 1), of_x_0[t], 1e-9);
  }
  EXPECT_LT(of_eps[0], 0.01);
  EXPECT_EQ(of_eps[999], 1.0);
}

TEST(VWeights, MakeTheErrorOfX0TheErrorOfV) {
  const NoiseSchedule schedule((ScheduleConfig()));
  const Tensor t = torch::tensor({0, 400, 950}, torch::kInt64);
  const auto x_0 = normal_noise({1, 1, 1}, {3, 8}).to(torch::kFloat64);
  const auto batch = noised_batch(schedule, x_0, t, normal_noise({1, 1, 2}, {3, 8}).to(torch::kFloat64));
  const Tensor answer = x_0 + 0.1 * normal_noise({1, 1, 3}, {3, 8});
  const auto level = noise_level(schedule, t, x_0);
  const Tensor v = v_from_x_0_and_epsilon(answer, epsilon_from_x_0(answer, batch.x_t, level), level);
  const LossTerms of_v = DiffusionLoss({.parameterization = Parameterization::v}, {})(batch, v);
  const LossTerms of_x_0 =
      DiffusionLoss({.parameterization = Parameterization::x_0}, {.v_weight_cap = 20.0})(batch, answer);
  EXPECT_CLOSE(of_x_0.total.slice(0, 1), of_v.total.slice(0, 1));
  EXPECT_CLOSE(of_x_0.total[0], 20.0 * of_x_0.mse[0]);  // 1 / (1 − ᾱ_0) is 24,000
  EXPECT_THROW(DiffusionLoss({}, {.v_weight_cap = 20.0}), Error);
  EXPECT_THROW(DiffusionLoss({.parameterization = Parameterization::x_0}, {.v_weight_cap = 0.5}), Error);
}

TEST(MinSnr, WeighsEachRowByItsTimestep) {
  const DiffusionConfig config;
  const NoiseSchedule schedule(config.schedule);
  const Tensor t = torch::tensor({3, 700}, torch::kInt64);
  const auto batch =
      noised_batch(schedule, normal_noise({1, 1, 1}, {2, 8}), t, normal_noise({1, 1, 2}, {2, 8}));
  const Tensor output = batch.eps + torch::full({2, 8}, 0.5F);
  const LossTerms plain = DiffusionLoss(config, {})(batch, output);
  const LossTerms weighted = DiffusionLoss(config, {.min_snr_gamma = 5.0})(batch, output);
  EXPECT_CLOSE(plain.total, torch::full({2}, 0.25F));
  EXPECT_FALSE(plain.vb.has_value());
  EXPECT_CLOSE(weighted.mse, plain.mse);
  const auto weights = min_snr_weights(schedule, config.parameterization, 5.0, 1.0);
  EXPECT_NEAR(weighted.total[0].item<double>(), 0.25 * weights[3], 1e-7);
  EXPECT_NEAR(weighted.total[1].item<double>(), 0.25, 1e-6);
}

TEST(Loss, IsZeroForThePerfectNetwork) {
  for (const auto kind : {Parameterization::x_0, Parameterization::epsilon, Parameterization::v}) {
    DiffusionConfig config;
    config.parameterization = kind;
    const DiffusionLoss loss(config, {});
    const auto batch = noised_batch(loss.schedule(), normal_noise({1, 1, 1}, {2, 8}),
                                    torch::tensor({10, 900}, torch::kInt64), normal_noise({1, 1, 2}, {2, 8}));
    EXPECT_CLOSE(loss(batch, target(kind, loss.schedule(), batch)).total, torch::zeros({2}), {1e-12, 0});
    EXPECT_GT(loss(batch, torch::zeros({2, 8})).total.min().item<double>(), 1e-3);
  }
  EXPECT_THROW(DiffusionLoss({}, {.min_snr_gamma = 0.0}), Error);
}

}  // namespace
}  // namespace unclip::diffusion
