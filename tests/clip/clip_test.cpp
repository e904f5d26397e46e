#include "unclip/clip/clip.h"

#include "support/training_parity.h"
#include "unclip/clip/key_map.h"

namespace unclip::clip {
namespace {

using testing::Fixture;

/// The config of tests/fixtures/clip: towers of different sizes, so that a mix-up shows.
ClipConfig tiny(nn::Activation activation) {
  return {
      .embed_dim = 16,
      .activation = activation,
      .vision = {.image_size = 32, .patch_size = 8, .width = 32, .layers = 2, .heads = 2, .mlp_ratio = 2.5},
      .text = {
          .vocab_size = 99, .context_length = 12, .width = 24, .layers = 3, .heads = 2, .mlp_ratio = 2.5}};
}

class ClipParity : public ::testing::TestWithParam<nn::Activation> {
 protected:
  ClipParity() : fixture_("clip/" + enum_name(GetParam())), model_(tiny(GetParam())) {
    testing::load_weights(*model_, fixture_, hugging_face_key_map());
  }
  nn::TextEncoding text() {
    const Tensor ids = fixture_["in.input_ids"];
    return model_->encode_text(ids, torch::ones_like(ids, torch::kBool));
  }
  Tensor loss() {
    const Tensor z_i = model_->encode_image(fixture_["in.pixel_values"]);
    return contrastive_loss(similarity_logits(z_i, text().z_t, model_->logit_scale));
  }
  Fixture fixture_;
  Clip model_;
};

TEST_P(ClipParity, OutputsEqualTransformers) {
  const ImageFeatures image = model_->visual(fixture_["in.pixel_values"]);
  EXPECT_CLOSE(image.embedding, fixture_["out.image_embeds"]);
  EXPECT_CLOSE(image.hidden, fixture_["out.image_hidden"]);
  const nn::TextEncoding encoded = text();
  EXPECT_CLOSE(encoded.z_t, fixture_["out.text_embeds"]);
  EXPECT_CLOSE(encoded.hidden, fixture_["out.text_hidden"]);
  EXPECT_CLOSE(similarity_logits(image.embedding, encoded.z_t, model_->logit_scale),
               fixture_["out.logits_per_image"]);
}

TEST_P(ClipParity, TrainsAsPyTorchDoes) {
  testing::expect_same_training(*model_, fixture_, hugging_face_key_map(), [this] { return loss(); });
}

INSTANTIATE_TEST_SUITE_P(Activations,
                         ClipParity,
                         ::testing::Values(nn::Activation::quick_gelu, nn::Activation::gelu),
                         [](const auto& test) { return enum_name(test.param); });

TEST(Clip, ShapeIsReadOffTheTensors) {
  ClipConfig config = tiny(nn::Activation::quick_gelu);
  config.vision.width = 192;
  config.vision.heads = 3;  // 64 wide
  config.text.width = 128;
  config.text.heads = 2;
  Clip model(config);
  EXPECT_EQ(config_to_json(shape_of(io::state_of(*model), "x.pt")), config_to_json(config));
  io::NamedTensors tensors = io::state_of(*model);
  tensors.erase("visual.patches.weight");
  EXPECT_THROW(shape_of(tensors, "x.pt"), Error);
  tensors = io::state_of(*model);
  tensors["visual.positional_embedding"] = torch::zeros({16, 192});
  EXPECT_THROW(shape_of(tensors, "x.pt"), Error);
}

TEST(Clip, OpenAisNamesGoThereAndBack) {
  Clip model(tiny(nn::Activation::gelu));
  nn::initialize_parameters(*model, 1);
  const io::NamedTensors ours = io::state_of(*model);
  const io::NamedTensors theirs = openai_key_map().map_to_theirs(ours, "ours");
  EXPECT_EQ(theirs.at("text_projection").sizes(), (std::vector<int64_t>{24, 16}));
  const io::NamedTensors back = openai_key_map().map_to_ours(theirs, "theirs");
  ASSERT_EQ(back.size(), ours.size());
  for (const auto& [name, tensor] : ours) EXPECT_TRUE(torch::equal(back.at(name), tensor)) << name;
}

TEST(Clip, PaddingDoesNotChangeTheEmbedding) {
  Clip model(tiny(nn::Activation::gelu));
  nn::initialize_parameters(*model, 1);
  const Tensor a = torch::tensor({{97, 5, 98, 0, 0, 0}}), b = torch::tensor({{97, 5, 98, 98, 98, 98}});
  const Tensor mask = a.ne(0);
  EXPECT_CLOSE(model->encode_text(a, mask).z_t, model->encode_text(b, mask).z_t,
               {.absolute = 0, .relative = 0});
}

TEST(Clip, LossAtTheStartIsLogN) {
  const Tensor logits =
      similarity_logits(torch::randn({64, 16}), torch::randn({64, 16}), torch::tensor(-9.0F));
  EXPECT_NEAR(contrastive_loss(logits).item<double>(), std::log(64.0), 1e-2);
}

TEST(Clip, TemperatureStaysBelowAHundred) {
  Clip model(tiny(nn::Activation::gelu));
  nn::initialize_parameters(*model, 1);
  EXPECT_NEAR(model->logit_scale.exp().item<double>(), 1 / 0.07, 1e-4);
  {
    const torch::NoGradGuard no_grad;
    model->logit_scale.fill_(7.0);
  }
  clamp_logit_scale(*model);
  EXPECT_NEAR(model->logit_scale.exp().item<double>(), 100.0, 1e-3);
}

TEST(Clip, OverfitsEightPairs) {
  Clip model(tiny(nn::Activation::gelu));
  nn::initialize_parameters(*model, 1);
  train::Optimizer optimizer(testing::parameters_of(*model), {});
  const Tensor pictures = normal_noise({1, 1, 1}, {8, 3, 32, 32});
  const Tensor ids =
      torch::cat({torch::full({8, 1}, 97), torch::arange(8).unsqueeze(1), torch::full({8, 1}, 98)}, 1);
  Tensor loss;
  for (int step = 0; step < 60; ++step) {
    const Tensor z_t = model->encode_text(ids, torch::ones_like(ids, torch::kBool)).z_t;
    loss = contrastive_loss(similarity_logits(model->encode_image(pictures), z_t, model->logit_scale));
    loss.backward();
    optimizer.step(3e-3);
  }
  EXPECT_LT(loss.item<double>(), 0.05);
}

TEST(Clip, ConvolutionalStemReadsTheSamePatches) {
  ClipConfig config = tiny(nn::Activation::gelu);
  config.vision.stem_channels = 8;
  Clip model(config);
  nn::initialize_parameters(*model, 1);
  EXPECT_EQ(model->visual(torch::randn({2, 3, 32, 32})).hidden.sizes(), (std::vector<int64_t>{2, 17, 32}));
}

}  // namespace
}  // namespace unclip::clip
