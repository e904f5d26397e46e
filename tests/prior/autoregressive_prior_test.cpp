#include "unclip/prior/autoregressive_prior.h"

#include <gmock/gmock.h>

#include "support/error_of.h"
#include "support/training_parity.h"
#include "unclip/nn/transformer_key_map.h"

namespace unclip::prior {
namespace {

using testing::Fixture;

constexpr int64_t kCodes = 6;

AutoregressivePriorConfig tiny() {
  return {.embed_dim = 12,
          .transformer = {.width = 16, .layers = 2, .heads = 2},
          .context = 9,
          .text_source = PriorText::tokens,
          .text_encoder = {.vocab_size = 13,
                           .context_length = 5,
                           .transformer = {.width = 8, .layers = 2, .heads = 2}},
          .components = kCodes,
          .buckets = 11,
          .dot_product_bins = 5};
}

/// Names of the reference in tools/fixtures/cases/ar_prior.py.
io::KeyMap reference_key_map() {
  io::KeyMap map{.rules = {{"text_encoder.token_embedding.{p}", {"token_embedding.{p}"}},
                           {"text_encoder.positional_embedding", {"token_position"}},
                           {"text_encoder.padding_embedding", {"padding"}},
                           {"text_encoder.ln_final.{p}", {"text.norm.{p}"}},
                           {"text_encoder.transformer.blocks.{i}.attn.qkv.weight",
                            {"text.layers.{i}.self_attn.in_proj_weight"}},
                           {"text_encoder.transformer.blocks.{i}.attn.qkv.bias",
                            {"text.layers.{i}.self_attn.in_proj_bias"}},
                           {"z_t_proj.{p}", {"z_t_proj.{p}"}},
                           {"dot_product_embedding.{p}", {"dot_embedding.{p}"}},
                           {"code_embedding.{p}", {"code_embedding.{p}"}},
                           {"positional_embedding", {"position"}},
                           {"ln_out.{p}", {"norm_out.{p}"}},
                           {"out.{p}", {"out.{p}"}},
                           {"text_kv.{i}.{p}",
                            {"blocks.{i}.attention.add_k_proj.{p}", "blocks.{i}.attention.add_v_proj.{p}"}}}};
  const auto add = [&map](const std::vector<io::KeyRule>& rules) {
    map.rules.insert(map.rules.end(), rules.begin(), rules.end());
  };
  add(nn::block_rules("text_encoder.transformer", "text.layers",
                      {.ln_1 = "norm1",
                       .ln_2 = "norm2",
                       .fc = "linear1",
                       .proj = "linear2",
                       .out = "self_attn.out_proj",
                       .qkv = {"self_attn.in_proj"}}));
  add(nn::block_rules("transformer", "blocks",
                      {.ln_1 = "attention.group_norm",
                       .ln_2 = "norm",
                       .fc = "feed_forward.net.0.proj",
                       .proj = "feed_forward.net.2",
                       .out = "attention.to_out.0",
                       .qkv = {"attention.to_q", "attention.to_k", "attention.to_v"}}));
  return map;
}

/// Any statistics: the network does not read them.
void fit_anything(AutoregressivePrior& model) {
  EmbeddingMoments moments(model->config().embed_dim);
  moments.add(normal_noise({3, 1, 0}, {64, model->config().embed_dim}));
  model->fit(principal_components(moments), normal_noise({3, 2, 0}, {64}));
}

class ArPriorParity : public ::testing::Test {
 protected:
  ArPriorParity() : fixture_("prior/autoregressive"), model_(tiny()) {
    io::NamedTensors weights = reference_key_map().map_to_ours(fixture_.group("weight."), "fixture");
    for (const auto& item : model_->named_buffers()) weights[item.key()] = item.value();
    io::load_state(*model_, weights, "fixture");
    for (torch::Tensor& p : model_->parameters()) p.set_data(p.contiguous());
    fit_anything(model_);
  }
  CodePrompt prompt() const {
    const nn::TextEncoding text{.ids = fixture_["in.ids"],
                                .mask = fixture_["in.id_mask"].to(torch::kBool),
                                .z_t = fixture_["in.z_t"],
                                .hidden = torch::zeros({4, 5, 3})};
    return {text, fixture_["in.dot"]};
  }
  Tensor codes() const { return fixture_["in.codes"]; }
  Tensor logits() { return model_->forward(prompt(), codes().slice(1, 0, kCodes - 1)); }
  Fixture fixture_;
  AutoregressivePrior model_;
};

TEST_F(ArPriorParity, LogitsEqualTheReference) {
  EXPECT_CLOSE(logits(), fixture_["out.logits"], {.absolute = 2e-6, .relative = 1e-5});
}

TEST_F(ArPriorParity, TrainsAsPyTorchDoes) {
  testing::expect_same_training(*model_, fixture_, reference_key_map(), [this] {
    return at::cross_entropy_loss(logits().flatten(0, 1), codes().flatten());
  });
}

/// log P(code_k | code_1 … code_{k-1}, prompt) of the recorded codes, [N, K].
Tensor chosen(const Tensor& logits, const Tensor& codes) {
  return logits.log_softmax(-1).gather(2, codes.unsqueeze(2)).squeeze(2);
}

TEST_F(ArPriorParity, CacheGivesTheLikelihoodOfTheWholePass) {
  const torch::NoGradGuard no_grad;
  CodeCache cache;
  std::vector<Tensor> steps{model_->begin(prompt(), cache)};
  for (int64_t k = 0; k + 1 < kCodes; ++k) steps.push_back(model_->next(codes().select(1, k), cache));
  EXPECT_EQ(cache.positions, 2 + kCodes - 1);
  EXPECT_CLOSE(chosen(torch::stack(steps, 1), codes()), chosen(logits(), codes()),
               {.absolute = 2e-6, .relative = 2e-6});
}

TEST_F(ArPriorParity, ACodeSeesNothingBehindIt) {
  const torch::NoGradGuard no_grad;
  const Tensor before = logits();
  for (int64_t k = 0; k + 1 < kCodes; ++k) {
    Tensor changed = codes();
    changed.select(1, k).copy_((changed.select(1, k) + 1) % 11);
    const Tensor difference =
        (model_->forward(prompt(), changed.slice(1, 0, kCodes - 1)) - before).abs().amax({0, 2});  // [K]
    EXPECT_EQ(difference.slice(0, 0, k + 1).max().item<double>(), 0.0) << k;
    EXPECT_GT(difference.slice(0, k + 1).min().item<double>(), 1e-4) << k;
  }
}

TEST_F(ArPriorParity, EveryPartOfThePromptIsRead) {
  const torch::NoGradGuard no_grad;
  const Tensor before = logits();
  const auto changes = [&](const CodePrompt& other) {
    const Tensor after = model_->forward(other, codes().slice(1, 0, kCodes - 1));
    return (after - before).abs().amax({1, 2}).min().item<double>();  // in the row that changes least
  };
  CodePrompt other = prompt();
  other.dot_product = (other.dot_product + 1) % 6;
  EXPECT_GT(changes(other), 1e-3);
  other = prompt();
  other.text.z_t = other.text.z_t + 0.5;
  EXPECT_GT(changes(other), 1e-3);
  other = prompt();
  other.text.ids = (other.text.ids + 1) % 13;
  EXPECT_GT(changes(other), 1e-3);
}

AutoregressivePriorConfig reads_clip() {
  AutoregressivePriorConfig config = tiny();
  config.text_source = PriorText::clip;
  config.text_width = 8;
  return config;
}

TEST(AutoregressivePrior, ReadsClipsTextUpToItsEnd) {
  const torch::NoGradGuard no_grad;
  AutoregressivePrior model(reads_clip());
  nn::initialize_parameters(*model, 1);
  CodePrompt prompt{{.ids = torch::zeros({2, 7}, torch::kLong),
                     .mask = torch::arange(7).unsqueeze(0) < torch::tensor({{7}, {3}}),
                     .z_t = normal_noise({1, 1, 0}, {2, 12}),
                     .hidden = normal_noise({1, 2, 0}, {2, 7, 8})},
                    torch::tensor({1, 2})};
  const Tensor codes = torch::tensor({{1, 2, 3}, {4, 5, 6}});
  const Tensor before = model->forward(prompt, codes);
  prompt.text.hidden = prompt.text.hidden.clone();
  prompt.text.hidden.slice(1, 3).add_(1.0);
  const Tensor difference = (model->forward(prompt, codes) - before).abs().amax({1, 2});
  EXPECT_GT(difference[0].item<double>(), 1e-4);
  EXPECT_EQ(difference[1].item<double>(), 0.0);  // padding of the second caption
}

TEST(AutoregressivePrior, FitKeepsWhatTheErrorNeeds) {
  AutoregressivePriorConfig config = reads_clip();
  config.components = 0;
  config.reconstruction_error = 0.1;
  AutoregressivePrior model(config);
  EXPECT_EQ(model->components(), 0);
  EmbeddingMoments moments(12);
  Tensor z = normal_noise({1, 1, 0}, {500, 12});
  z.slice(1, 3).mul_(0.01);  // three dimensions hold all but a hundredth
  moments.add(z);
  model->fit(principal_components(moments), normal_noise({1, 2, 0}, {500}));
  EXPECT_EQ(model->components(), 3);
  EXPECT_EQ(model->encode(z).sizes(), (std::vector<int64_t>{500, 3}));
  EXPECT_CLOSE(model->prepared(z).norm(2, 1), torch::ones({500}));

  EmbeddingMoments round(12);
  round.add(normal_noise({1, 3, 0}, {500, 12}));
  const auto fit = [&] { model->fit(principal_components(round), normal_noise({1, 2, 0}, {500})); };
  EXPECT_THAT(testing::error_of(ErrorKind::config, fit),
              ::testing::HasSubstr("a context of 9 has room for 7"));
}

TEST(AutoregressivePrior, RefusesAConfigurationThatCannotBe) {
  const auto refused = [](auto change) {
    AutoregressivePriorConfig config = tiny();
    change(config);
    return testing::error_of(ErrorKind::config, [&] { AutoregressivePrior model(config); });
  };
  using ::testing::HasSubstr;
  EXPECT_THAT(refused([](auto& c) { c.components = 8; }), HasSubstr("components is 8, expected at most 7"));
  EXPECT_THAT(refused([](auto& c) { c.buckets = 1; }), HasSubstr("2 or more"));
  EXPECT_THAT(refused([](auto& c) { c.text_drop = 1.0; }), HasSubstr("text_drop is 1"));
  EXPECT_THAT(refused([](auto& c) { c.sampling.temperature = 0.0; }), HasSubstr("temperature is 0"));
  EXPECT_THAT(refused([](auto& c) { c.sampling.top_p = 1.5; }), HasSubstr("top_p is 1.5"));
  EXPECT_THAT(refused([](auto& c) { c.sampling.dot_product_percentile = 1.0; }),
              HasSubstr("percentile is 1"));
  EXPECT_THAT(refused([](auto& c) { c.transformer.heads = 3; }), HasSubstr("not divisible"));
}

}  // namespace
}  // namespace unclip::prior
