#include "unclip/decoder/decoder.h"

#include "support/training_parity.h"
#include "unclip/decoder/key_map.h"
#include "unclip/decoder/sample.h"

namespace unclip::decoder {
namespace {

using testing::Fixture;

DecoderConfig tiny() {
  return {.unet = {.size = 16,
                   .in_channels = 3,
                   .out_channels = 6,
                   .channels = 8,
                   .channel_mult = {1, 2, 3},
                   .depth = 2,
                   .attention_resolutions = {8, 4},
                   .head_channels = 8,
                   .context_width = 24,
                   .dropout = 0.0,
                   .groups = 4},
          .embed_dim = 16,
          .image_tokens = 4,
          .unit_z_i = false,
          .null_image = NullImage::learned,
          .text = {.source = DecoderText::clip, .context_length = 7, .clip_width = 16, .add_z_t = true}};
}

class DecoderParity : public ::testing::Test {
 protected:
  DecoderParity() : fixture_("decoder/karlo_tiny"), model_(tiny()) {
    testing::load_weights(*model_, fixture_, map_);
  }
  DecoderInput input() const {
    return {.z_i = fixture_["in.image_embeds"],
            .drop_image = fixture_["in.image_drop"].to(torch::kBool),
            .text = nn::TextEncoding{.ids = torch::zeros({4, 7}, torch::kLong),
                                     .mask = fixture_["in.text_mask"].to(torch::kBool),
                                     .z_t = fixture_["in.text_embeds"],
                                     .hidden = fixture_["in.text_hidden"]}};
  }
  Tensor output() {
    return model_->forward(fixture_["in.sample"], fixture_["in.timestep"], model_->condition(input()));
  }
  Fixture fixture_;
  io::KeyMap map_ = diffusers_key_map(4, 24);
  Decoder model_;
};

TEST(DecoderLayout, StartsAsNothingAndThenPlacesZI) {
  DecoderConfig config = tiny();
  config.text = {.source = DecoderText::none};
  config.layout = true;
  Decoder model(config);
  nn::initialize_parameters(*model, 1);
  const torch::NoGradGuard no_grad;
  model->unet->conv_out->weight.fill_(0.1);
  const Tensor z_i = normal_noise({1, 1, 0}, {2, 16}), x_t = normal_noise({1, 2, 0}, {2, 3, 16, 16});
  const Tensor t = torch::tensor({10, 700}, torch::kLong);
  nn::UNetConditioning told = model->condition({.z_i = z_i, .drop_image = {}, .text = {}});
  ASSERT_TRUE(told.layout.has_value());
  EXPECT_EQ(told.layout->sizes(), (std::vector<int64_t>{2, 24, 4, 4}));
  const Tensor started = model->forward(x_t, t, told);
  told.layout.reset();
  EXPECT_TRUE(torch::equal(started, model->forward(x_t, t, told)));

  model->z_i_layout->weight.normal_();
  told = model->condition({.z_i = z_i, .drop_image = {}, .text = {}});
  EXPECT_CLOSE((*told.layout)[1][5][2][3], at::dot(z_i[1], model->z_i_layout->weight[5 * 16 + 2 * 4 + 3]));
  EXPECT_FALSE(torch::allclose(started, model->forward(x_t, t, told)));
}

TEST_F(DecoderParity, ConditioningEqualsDiffusers) {
  const nn::UNetConditioning conditioning = model_->condition(input());
  if (!conditioning.context || !conditioning.embedding) FAIL() << "the decoder is told nothing";
  EXPECT_CLOSE(conditioning.context->tokens, fixture_["out.context"]);
  EXPECT_CLOSE(*conditioning.embedding, fixture_["out.time_embeds"]);
}

TEST_F(DecoderParity, OutputEqualsDiffusers) {
  EXPECT_CLOSE(output(), fixture_["out.sample"], {.relative = 2e-5});
}

TEST_F(DecoderParity, TrainsAsPyTorchDoes) {
  testing::expect_same_training(*model_, fixture_, map_, [this] {
    const auto parts = output().chunk(2, 1);
    return at::mse_loss(parts[0], fixture_["in.target"]) + 0.1 * parts[1].square().mean();
  });
}

TEST_F(DecoderParity, KeyMapRunsBothWays) {
  const io::NamedTensors theirs = fixture_.group("weight.");
  const io::NamedTensors back = map_.map_to_theirs(map_.map_to_ours(theirs, "there"), "back");
  ASSERT_EQ(back.size(), theirs.size());
  for (const auto& [name, tensor] : theirs) EXPECT_TRUE(torch::equal(back.at(name), tensor)) << name;
}

DecoderConfig own_text() {
  DecoderConfig config = tiny();
  config.unit_z_i = true;
  config.null_image = NullImage::zeros;
  config.text = {.source = DecoderText::own,
                 .vocab_size = 11,
                 .context_length = 7,
                 .transformer = {.width = 20, .layers = 2, .heads = 2}};
  return config;
}

nn::TextEncoding some_text(int64_t count) {
  const Tensor ids = (torch::arange(7 * count).view({count, 7}) * 7) % 11;
  return {.ids = ids, .mask = torch::arange(7).lt(4).expand({count, 7}), .z_t = {}, .hidden = {}};
}

TEST(Decoder, PaddingTokensDoNotMatterWithOwnText) {
  Decoder model(own_text());
  nn::initialize_parameters(*model, 1);
  nn::TextEncoding text = some_text(1), other = text;
  other.ids = other.ids.clone();
  other.ids.slice(1, 4).fill_(3);
  const Tensor z_i = normal_noise({1, 1, 1}, {1, 16});
  const auto tokens = [&](const nn::TextEncoding& given) {
    return model->condition({.z_i = z_i, .drop_image = {}, .text = given}).context->tokens;
  };
  EXPECT_TRUE(torch::equal(tokens(text), tokens(other)));
  EXPECT_EQ(tokens(text).size(1), 4 + 7);
}

TEST(Decoder, ZIsLengthDoesNotMatterWithUnitZI) {
  Decoder model(own_text());
  nn::initialize_parameters(*model, 1);
  const Tensor z_i = normal_noise({1, 1, 1}, {1, 16});
  const auto embedding = [&](const Tensor& z) {
    return *model->condition({.z_i = z, .drop_image = {}, .text = some_text(1)}).embedding;
  };
  EXPECT_CLOSE(embedding(z_i * 7), embedding(z_i));
}

TEST_F(DecoderParity, APictureDoesNotDependOnItsBatch) {
  const DecoderInput whole = input();
  const auto drawn = [&](int64_t begin, int64_t end) {
    const auto part = [&](const Tensor& t) { return t.slice(0, begin, end); };
    const nn::TextEncoding text{part(whole.text->ids), part(whole.text->mask), part(whole.text->z_t),
                                part(whole.text->hidden)};
    const nn::TextEncoding null{whole.text->ids.slice(0, 0, 1), whole.text->mask.slice(0, 0, 1),
                                whole.text->z_t.slice(0, 0, 1), whole.text->hidden.slice(0, 0, 1)};
    std::vector<uint64_t> seeds;
    for (int64_t i = begin; i < end; ++i) seeds.push_back(static_cast<uint64_t>(i));
    const DecoderSampling sampling{
        .sampler = {.kind = diffusion::Sampler::ddim, .timesteps = "4", .eta = 0.5}, .guidance = 2.0};
    return sample(model_, {.z_i = part(whole.z_i), .text = text, .null_text = null}, sampling,
                  {.noise = picture_noise(seeds, "decoder"), .observer = {}});
  };
  EXPECT_CLOSE(drawn(2, 3), drawn(0, 4).slice(0, 2, 3), {.absolute = 1.0 / 255});
}

TEST(Decoder, OverfitsEightPictures) {
  DecoderConfig config = own_text();
  config.text.source = DecoderText::none;
  config.diffusion = {.parameterization = diffusion::Parameterization::v};
  config.unet.out_channels = 3;
  config.unet.patch = 2;
  config.unet.attention_resolutions = {4};
  config.unet.channel_mult = {2, 3};
  Decoder model(config);
  nn::initialize_parameters(*model, 1);
  train::Optimizer optimizer(testing::parameters_of(*model), {});
  const Tensor z_i = normal_noise({1, 1, 1}, {8, 16}),
               target = normal_noise({1, 2, 1}, {8, 3, 2, 2}).repeat_interleave(8, 2).repeat_interleave(8, 3);
  const Tensor x = torch::zeros_like(target), t = torch::full({8}, 999, torch::kLong);
  Tensor loss;
  for (int step = 0; step < 120; ++step) {
    loss = at::mse_loss(model->forward(x, t, model->condition({.z_i = z_i, .drop_image = {}, .text = {}})),
                        target);
    loss.backward();
    optimizer.step(4e-3);
  }
  EXPECT_LT(loss.item<double>(), 0.05);
}

TEST(DecoderConfig, NamesContradictions) {
  DecoderConfig config = tiny();
  config.unet.out_channels = 3;
  EXPECT_THROW(config.validate(), Error);
  config = tiny();
  config.text_drop = 1.5;
  EXPECT_THROW(config.validate(), Error);
}

}  // namespace
}  // namespace unclip::decoder
