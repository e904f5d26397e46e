#include "unclip/nn/transformer.h"

#include "support/close.h"
#include "unclip/nn/timestep_embedding.h"

namespace unclip::nn {
namespace {

TEST(Transformer, CachedPositionsEqualOnePass) {
  Transformer model(TransformerConfig{.width = 32, .layers = 3, .heads = 4});
  initialize_parameters(*model, 1);
  const Tensor x = normal_noise({1, 2, 3}, {2, 9, 32});
  const Tensor whole = model(x, TransformerContext{.mask = causal_mask(9, torch::kCPU)});
  KeyValueCache cache;
  const Tensor head =
      model(x.slice(1, 0, 6), TransformerContext{.mask = causal_mask(6, torch::kCPU), .present = &cache});
  const Tensor mask = causal_mask(9, torch::kCPU).slice(2, 6);
  const Tensor tail = model(x.slice(1, 6), TransformerContext{.mask = mask, .past = &cache});
  EXPECT_CLOSE(torch::cat({head, tail}, 1), whole);
}

TEST(Transformer, CausalMaskLeaksNothing) {
  Transformer model(TransformerConfig{.width = 16, .layers = 2, .heads = 2});
  initialize_parameters(*model, 1);
  Tensor x = normal_noise({1, 2, 3}, {1, 6, 16});
  const TransformerContext context{.mask = causal_mask(6, torch::kCPU)};
  const Tensor before = model(x, context);
  x = x.clone();
  x.select(1, 5).fill_(9.0);
  EXPECT_TRUE(torch::equal(before.slice(1, 0, 5), model(x, context).slice(1, 0, 5)));
}

TEST(Initialization, DoesNotDependOnWhatElseIsInTheModel) {
  Transformer small(TransformerConfig{.width = 16, .layers = 1, .heads = 2});
  Transformer large(TransformerConfig{.width = 16, .layers = 3, .heads = 2});
  initialize_parameters(*small, 5);
  initialize_parameters(*large, 5);
  EXPECT_TRUE(torch::equal(small->blocks[0]->attn->qkv->weight, large->blocks[0]->attn->qkv->weight));
}

TEST(ParameterDevice, CountsWithoutAllocating) {
  const ParameterDevice on_meta(torch::kMeta);
  Transformer model(TransformerConfig{.width = 2048, .layers = 24, .heads = 32});
  EXPECT_EQ(count_parameters(*model), 24 * (12LL * 2048 * 2048 + 13LL * 2048));
  EXPECT_TRUE(model->parameters().front().is_meta());
}

TEST(TimestepEmbedding, IsCosineThenSine) {
  const Tensor e = sinusoidal_embedding(torch::tensor({0.0, 7.0}), 8);
  EXPECT_CLOSE(e[0], torch::tensor({1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0}));
  EXPECT_NEAR(e[1][2].item<double>(), std::cos(7.0 * 1e-2), 1e-6);
  EXPECT_NEAR(e[1][5].item<double>(), std::sin(7.0 * 1e-1), 1e-6);
}

}  // namespace
}  // namespace unclip::nn
