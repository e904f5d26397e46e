#include "unclip/prior/autoregressive_sample.h"

#include <gmock/gmock.h>

#include <set>

#include "support/error_of.h"
#include "support/training_parity.h"
#include "unclip/prior/candidates.h"
#include "unclip/prior/dot_product_token.h"

namespace unclip::prior {
namespace {

constexpr int64_t kDraws = 40000;

/// Share of each code among draws from one row of logits.
Tensor frequencies(const Tensor& logits, const CodeSampling& sampling) {
  const Tensor drawn = draw_code(logits.expand({kDraws, -1}), sampling, uniform_noise({9, 1, 1}, {kDraws}));
  return torch::bincount(drawn, {}, logits.size(1)).to(torch::kFloat64) / kDraws;
}

constexpr testing::Tolerance kFourSigma{.absolute = 4 * 0.5 / 200, .relative = 0};  // √(p (1−p) / 40000)

TEST(DrawCode, FollowsTheSoftmaxAtATemperature) {
  const Tensor logits = torch::tensor({{0.0, 1.0, -2.0, 1.5, 0.5}}, torch::kFloat64);
  EXPECT_CLOSE(frequencies(logits, {}), logits.softmax(1).squeeze(0), kFourSigma);
  EXPECT_CLOSE(frequencies(logits, {.temperature = 0.5}), (2 * logits).softmax(1).squeeze(0), kFourSigma);
  EXPECT_EQ(frequencies(logits, {.temperature = 1e-3})[3].item<double>(), 1.0);
}

TEST(DrawCode, TopPKeepsTheSmallestLikelySet) {
  const Tensor p = torch::tensor({{0.1, 0.4, 0.05, 0.3, 0.15}}, torch::kFloat64);
  EXPECT_CLOSE(frequencies(p.log(), {.top_p = 0.69}), torch::tensor({0.0, 4.0 / 7, 0.0, 3.0 / 7, 0.0}),
               kFourSigma);
  EXPECT_CLOSE(frequencies(p.log(), {.top_p = 0.71}), torch::tensor({0.0, 8.0 / 17, 0.0, 6.0 / 17, 3.0 / 17}),
               kFourSigma);
  EXPECT_EQ(frequencies(p.log(), {.top_p = 0.01})[1].item<double>(), 1.0);
}

TEST(DrawCode, EndsOfTheUnitIntervalAreCodesThatCanBe) {
  const double never = -std::numeric_limits<double>::infinity();
  const Tensor logits = torch::tensor({{never, 0.0, 1.0, never}}, torch::kFloat64).expand({2, 4});
  const Tensor drawn = draw_code(logits, {}, torch::tensor({0.0F, 1.0F - 0x1p-24F}));
  EXPECT_TRUE(torch::equal(drawn, torch::tensor({int64_t{1}, int64_t{2}})));
}

TEST(Candidates, TheNearestToTheTextIsKept) {
  const Tensor candidates = normal_noise({1, 1, 1}, {5, 4, 16}), z_t = normal_noise({1, 2, 1}, {5, 16});
  const Tensor best = best_by_dot_product(candidates, z_t);
  const Tensor dots = (candidates * z_t.unsqueeze(1)).sum(2);
  EXPECT_CLOSE((best * z_t).sum(1), std::get<0>(dots.max(1)));
}

TEST(Candidates, SeedsAreAllDifferentAndTheFirstIsThePictures) {
  const auto seeds = candidate_seeds({7, 8, 9}, 3);
  EXPECT_EQ(seeds.size(), 9U);
  EXPECT_EQ((std::vector{seeds[0], seeds[3], seeds[6]}), (std::vector<uint64_t>{7, 8, 9}));
  EXPECT_EQ(std::set<uint64_t>(seeds.begin(), seeds.end()).size(), 9U);
}

class ArSample : public ::testing::Test {
 protected:
  ArSample() : model_(config()) {
    nn::initialize_parameters(*model_, 2);
    const torch::NoGradGuard no_grad;
    model_->out->weight.mul_(8);  // distributions with something to say
    EmbeddingMoments moments(16);
    moments.add(normal_noise({3, 1, 0}, {200, 16}));
    model_->fit(principal_components(moments), normal_noise({3, 2, 0}, {200}));
  }
  static AutoregressivePriorConfig config() {
    return {.embed_dim = 16,
            .transformer = {.width = 32, .layers = 2, .heads = 2},
            .context = 12,
            .text_source = PriorText::clip,
            .text_width = 8,
            .components = 9,
            .buckets = 21,
            .dot_product_bins = 10};
  }
  static nn::TextEncoding text(int64_t count) {
    return {.ids = torch::zeros({count, 7}, torch::kLong),
            .mask = torch::arange(7).unsqueeze(0) < (torch::arange(count).unsqueeze(1) % 5 + 3),
            .z_t = normal_noise({5, 1, 0}, {count, 16}),
            .hidden = normal_noise({5, 2, 0}, {count, 7, 8})};
  }
  static nn::TextEncoding null_text() {
    return {.ids = torch::zeros({1, 7}, torch::kLong),
            .mask = torch::arange(7).unsqueeze(0) < 2,
            .z_t = normal_noise({6, 1, 0}, {1, 16}),
            .hidden = normal_noise({6, 2, 0}, {1, 7, 8})};
  }
  Tensor draw(const nn::TextEncoding& text, std::vector<uint64_t> seeds, const CodeSampling& sampling) {
    return sample(model_, {text, null_text()}, sampling,
                  {.uniform = picture_uniforms(std::move(seeds), "ar_prior"), .on_code = {}});
  }
  AutoregressivePrior model_;
};

/// The whole of sampling written down once more without cache or batched guidance.
TEST_F(ArSample, EqualsTheSlowWay) {
  const torch::NoGradGuard no_grad;
  const CodeSampling sampling{.guidance = 2.5, .temperature = 0.8, .top_p = 0.9};
  const NoiseSource uniform = picture_uniforms({4, 5, 6}, "ar_prior");
  const Tensor like = torch::empty({3});
  const CodePrompt prompt{text(3), draw_dot_product_token(uniform(like, kInitialNoise), 10, 0.5)};
  const CodePrompt null{nn::repeat_text(null_text(), 3), torch::full({3}, 10, torch::kLong)};
  Tensor codes = torch::empty({3, 0}, torch::kLong);
  for (int64_t k = 0; k < 9; ++k) {
    const Tensor l_y = model_->forward(prompt, codes).select(1, -1);
    const Tensor l_0 = model_->forward(null, codes).select(1, -1);
    const Tensor code = draw_code(l_0 + 2.5 * (l_y - l_0), sampling, uniform(like, k));
    codes = torch::cat({codes, code.unsqueeze(1)}, 1);
  }
  const Tensor drawn = draw(text(3), {4, 5, 6}, sampling);
  EXPECT_CLOSE(drawn, model_->decode(codes), {.absolute = 1e-6, .relative = 1e-6});
  EXPECT_GT((drawn - draw(text(3), {4, 5, 6}, {})).abs().max().item<double>(), 0.1);  // guidance matters
}

TEST_F(ArSample, AnEmbeddingDependsOnItsSeedAloneAndNotOnTheBatch) {
  const CodeSampling sampling{.guidance = 2.0, .candidates = 2};
  const nn::TextEncoding texts = text(3);
  const Tensor all = draw(texts, candidate_seeds({4, 5, 6}, 2), sampling);
  const Tensor one = draw(nn::slice_text(texts, 1, 2), candidate_seeds({5}, 2), sampling);
  EXPECT_CLOSE(one, all.slice(0, 1, 2), {.absolute = 1e-6, .relative = 1e-6});
  const Tensor other = draw(nn::slice_text(texts, 1, 2), candidate_seeds({15}, 2), sampling);
  EXPECT_GT((one - other).abs().max().item<double>(), 0.1);
}

TEST_F(ArSample, KeepsTheBestCandidate) {
  const nn::TextEncoding texts = text(2);
  const auto seeds = candidate_seeds({1, 2}, 3);
  const Tensor best = draw(texts, seeds, {.candidates = 3});
  const Tensor all = draw(nn::repeat_text(texts, 3), seeds, {}).view({2, 3, 16});
  EXPECT_CLOSE((best * texts.z_t).sum(1), std::get<0>((all * texts.z_t.unsqueeze(1)).sum(2).max(1)));
}

TEST_F(ArSample, ReportsEveryCodeAndRefusesAModelWithoutComponents) {
  int64_t steps = 0;
  sample(model_, {text(2), null_text()}, {},
         {.uniform = picture_uniforms({1, 2}, "ar_prior"), .on_code = [&steps] { ++steps; }});
  EXPECT_EQ(steps, 9);
  AutoregressivePrior untrained(config());
  const auto draw_from_it = [&] {
    sample(untrained, {text(1), null_text()}, {},
           {.uniform = picture_uniforms({1}, "ar_prior"), .on_code = {}});
  };
  EXPECT_THAT(testing::error_of(ErrorKind::checkpoint, draw_from_it), ::testing::HasSubstr("never trained"));
}

TEST_F(ArSample, OverfitsEightEmbeddings) {
  const Tensor z_i = normal_noise({1, 1, 1}, {8, 16});
  const Tensor codes = model_->encode(z_i);
  train::Optimizer optimizer(testing::parameters_of(*model_), {});
  Tensor loss;
  for (int step = 0; step < 150; ++step) {
    const CodePrompt prompt{text(8), (torch::arange(8) + step) % 11};  // any z_i·z_t, as in drawing
    loss =
        at::cross_entropy_loss(model_->forward(prompt, codes.slice(1, 0, 8)).flatten(0, 1), codes.flatten());
    loss.backward();
    optimizer.step(3e-3);
  }
  EXPECT_LT(loss.item<double>(), 0.05);  // nats; 3 at random
  const Tensor drawn = draw(text(8), {1, 2, 3, 4, 5, 6, 7, 8}, {.temperature = 0.1});
  EXPECT_CLOSE(drawn, model_->decode(codes), {.absolute = 1e-5, .relative = 1e-5});
}

}  // namespace
}  // namespace unclip::prior
