#include "unclip/prior/diffusion_prior.h"

#include "support/training_parity.h"
#include "unclip/prior/key_map.h"
#include "unclip/prior/sample.h"

namespace unclip::prior {
namespace {

using testing::Fixture;

DiffusionPriorConfig tiny() {
  return {.embed_dim = 16,
          .transformer = {.width = 32, .layers = 3, .heads = 2},
          .text_source = PriorText::clip,
          .text_context = 7,
          .text_width = 16,
          .scaling = EmbeddingScaling::standardize,
          .error_table = false};
}

class PriorParity : public ::testing::Test {
 protected:
  PriorParity() : fixture_("prior/karlo_tiny"), model_(tiny()) {
    testing::load_weights(*model_, fixture_, diffusers_key_map());
  }
  nn::TextEncoding text() const {
    return {.ids = torch::zeros({4, 7}, torch::kLong),
            .mask = fixture_["in.attention_mask"].to(torch::kBool),
            .z_t = fixture_["in.proj_embedding"],
            .hidden = fixture_["in.encoder_hidden_states"]};
  }
  Tensor predict() { return model_->forward(fixture_["in.hidden_states"], fixture_["in.timestep"], text()); }
  Fixture fixture_;
  DiffusionPrior model_;
};

TEST_F(PriorParity, OutputEqualsDiffusers) {
  EXPECT_CLOSE(predict(), fixture_["out.predicted_image_embedding"]);
  EXPECT_CLOSE(model_->unscale(predict()), fixture_["out.post_processed"]);
}

TEST_F(PriorParity, TrainsAsPyTorchDoes) {
  testing::expect_same_training(*model_, fixture_, diffusers_key_map(),
                                [this] { return at::mse_loss(predict(), fixture_["in.target"]); });
}

TEST_F(PriorParity, CachedTextEqualsTheWholePass) {
  const TextPrefix prefix = model_->encode_text(text());
  EXPECT_CLOSE(model_->predict(prefix, fixture_["in.hidden_states"], fixture_["in.timestep"]), predict(),
               {.absolute = 1e-6, .relative = 1e-6});
}

nn::TextEncoding some_text(int64_t count) {
  return {.ids = torch::zeros({count, 7}, torch::kLong),
          .mask = torch::ones({count, 7}, torch::kBool),
          .z_t = normal_noise({5, 1, 0}, {count, 16}),
          .hidden = normal_noise({5, 2, 0}, {count, 7, 16})};
}

TEST_F(PriorParity, PositionsThatNoCaptionUsesAreLeftOut) {
  nn::TextEncoding texts = some_text(2);
  texts.mask = torch::tensor({1, 1, 0, 0, 0, 0, 0, 1, 1, 1, 0, 1, 0, 0}).view({2, 7}).to(torch::kBool);
  const Tensor z_i = normal_noise({5, 3, 0}, {2, 16}), t = torch::full({2}, 400, torch::kLong);
  const TextPrefix prefix = model_->encode_text(texts);
  EXPECT_EQ(prefix.mask.size(1), 5);  // columns 0, 1, 2, 4 and z_t
  EXPECT_EQ(prefix.cache[0].k.size(2), 5);
  EXPECT_CLOSE(model_->predict(prefix, z_i, t), model_->forward(z_i, t, texts),
               {.absolute = 1e-6, .relative = 1e-6});
}

TEST_F(PriorParity, ScalingIsUndone) {
  const Tensor z_i = normal_noise({1, 1, 1}, {3, 16});
  EXPECT_CLOSE(model_->unscale(model_->scale(z_i)), z_i);
  DiffusionPriorConfig config = tiny();
  config.scaling = EmbeddingScaling::unit;
  DiffusionPrior unit(config);
  EXPECT_CLOSE(unit->scale(z_i).norm(2, -1), torch::full({3}, 17.2));
  EXPECT_CLOSE(unit->unscale(unit->scale(z_i)).norm(2, -1), torch::ones({3}));
}

TEST_F(PriorParity, APictureDoesNotDependOnItsBatch) {
  const PriorSampling sampling{
      .sampler = {.kind = diffusion::Sampler::ddpm, .timesteps = "5"}, .guidance = 3.0, .candidates = 1};
  const nn::TextEncoding texts = some_text(3), null = some_text(1);
  const nn::TextEncoding second{texts.ids.slice(0, 1, 2), texts.mask.slice(0, 1, 2), texts.z_t.slice(0, 1, 2),
                                texts.hidden.slice(0, 1, 2)};
  const Tensor all =
      sample(model_, {texts, null}, sampling, {.noise = picture_noise({4, 5, 6}, "prior"), .observer = {}});
  const Tensor one =
      sample(model_, {second, null}, sampling, {.noise = picture_noise({5}, "prior"), .observer = {}});
  EXPECT_CLOSE(one, all.slice(0, 1, 2), {.absolute = 1e-5, .relative = 1e-5});
}

TEST(DiffusionPrior, OverfitsEightEmbeddings) {
  DiffusionPriorConfig config = tiny();
  config.text_source = PriorText::tokens;
  config.vocab_size = 8;
  DiffusionPrior model(config);
  nn::initialize_parameters(*model, 1);
  const Tensor x_0 = normal_noise({1, 1, 1}, {8, 16});
  nn::TextEncoding text = some_text(8);
  text.ids = torch::arange(8).unsqueeze(1).expand({8, 7}).contiguous();
  train::Optimizer optimizer(testing::parameters_of(*model), {});
  const Tensor t = torch::full({8}, 999, torch::kLong);
  Tensor loss;
  for (int step = 0; step < 150; ++step) {
    loss = at::mse_loss(model->forward(torch::zeros_like(x_0), t, text), x_0);
    loss.backward();
    optimizer.step(3e-3);
  }
  EXPECT_LT(loss.item<double>(), 0.02);
}

}  // namespace
}  // namespace unclip::prior
