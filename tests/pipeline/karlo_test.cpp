// Karlo folders against diffusers: every network on recorded inputs, every scheduler step, then whole
// pipelines with recorded noise (tools/fixtures/cases/karlo.py).
#include <gmock/gmock.h>

#include "support/close.h"
#include "support/fixture.h"
#include "support/temporary_folder.h"
#include "unclip/diffusion/samplers/ddpm.h"
#include "unclip/io/file.h"
#include "unclip/model/weights.h"
#include "unclip/pipeline/unclip.h"

namespace unclip::pipeline {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using testing::Fixture;
using ::testing::HasSubstr;

constexpr testing::Tolerance kPicture{.absolute = 1e-3, .relative = 0};  // of the whole pipeline, in 0…1
constexpr testing::Tolerance kNetwork{.absolute = 1e-5, .relative = 2e-5};

fs::path fixtures(const std::string& name) { return fs::path(UNCLIP_FIXTURES) / "karlo" / name; }

const std::vector<std::string> kCaptions{"a red cat!", "the moon's 2 robots"};

/// What `work` complains about, or "".
std::string error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

torch::Tensor in_unit_range(const torch::Tensor& pictures) {
  return ((pictures + 1) / 2).permute({0, 2, 3, 1});
}

torch::Tensor timesteps(const torch::Tensor& t, int64_t count) { return t.expand({count}); }

class Generating : public ::testing::Test {
 protected:
  Fixture recorded_{"karlo/guided"};
  Unclip model_{fixtures("generating"), torch::kFloat32};
};

TEST_F(Generating, ReadsEveryValueFromTheFolder) {
  const model::Model& model = model_.model();
  EXPECT_EQ(model.text.context_length, 20);
  EXPECT_EQ(model.prior->config.transformer.heads, 3);
  EXPECT_EQ(model.prior->config.diffusion.threshold.bound, 3.0);
  EXPECT_EQ(model.decoder->config.unet.level_channels(2), 20);
  EXPECT_EQ(model.decoder->config.image_tokens, 3);
  EXPECT_EQ(model.decoder->config.diffusion.schedule.steps, 600);
  EXPECT_EQ(model.upsamplers.at(0).last_step->config.unet.depth, 1);
  EXPECT_EQ(model.manifest.licence, "cc0-1.0");
  EXPECT_THAT(model.unknown_keys, ElementsAre("super_res_first/config.json: 'colour'"));
  EXPECT_THAT(model_.sizes(), ElementsAre(8, 32));
}

TEST_F(Generating, TextEncoderEqualsTransformers) {
  const nn::TextEncoding text = model_.clip().encode_text(kCaptions);
  EXPECT_TRUE(torch::equal(text.ids, recorded_["text_encoder.in.sample"]));
  EXPECT_CLOSE(text.z_t, recorded_["text_encoder.out.text_embeds"], kNetwork);
  EXPECT_CLOSE(text.hidden, recorded_["text_encoder.out.last_hidden_state"], kNetwork);
  EXPECT_TRUE(torch::equal(text.mask, recorded_["prior.in.attention_mask"].slice(0, 2).to(torch::kBool)));
}

/// The captions of a guided batch as diffusers orders them: without, then with.
nn::TextEncoding recorded_text(const Fixture& recorded, const std::string& module, const std::string& z_t) {
  const torch::Tensor mask = recorded["prior.in.attention_mask"].to(torch::kBool);
  return {.ids = torch::zeros(mask.sizes(), torch::kLong),
          .mask = mask,
          .z_t = recorded[module + ".in." + z_t],
          .hidden = recorded["prior.in.encoder_hidden_states"]};
}

TEST_F(Generating, PriorEqualsDiffusers) {
  const torch::NoGradGuard no_grad;
  auto prior = model::load_net<prior::DiffusionPrior>(*model_.model().prior, torch::kFloat32);
  const nn::TextEncoding text = recorded_text(recorded_, "prior", "proj_embedding");
  const torch::Tensor t = timesteps(recorded_["prior.in.timestep"], 4);
  const torch::Tensor expected = recorded_["prior.out.predicted_image_embedding"];
  EXPECT_CLOSE(prior->forward(recorded_["prior.in.sample"], t, text), expected, kNetwork);
  EXPECT_CLOSE(prior->predict(prior->encode_text(text), recorded_["prior.in.sample"], t), expected, kNetwork);
  EXPECT_CLOSE(prior->unscale(recorded_["prior.step3.prev_sample"]),
               recorded_["text_proj.in.image_embeddings"], kNetwork);
}

TEST_F(Generating, DecoderAndItsTextProjectionEqualDiffusers) {
  const torch::NoGradGuard no_grad;
  auto decoder = model::load_net<decoder::Decoder>(*model_.model().decoder, torch::kFloat32);
  const torch::Tensor z_i = recorded_["text_proj.in.image_embeddings"];
  const nn::UNetConditioning conditioning =
      decoder->condition({.z_i = torch::cat({z_i, z_i}),
                          .drop_image = torch::tensor({true, true, false, false}),
                          .text = recorded_text(recorded_, "text_proj", "prompt_embeds")});
  if (!conditioning.context || !conditioning.embedding) FAIL() << "the decoder is told nothing";
  EXPECT_CLOSE(conditioning.context->tokens, recorded_["text_proj.out.0"], kNetwork);
  EXPECT_CLOSE(*conditioning.embedding, recorded_["text_proj.out.1"], kNetwork);
  const torch::Tensor output = decoder->forward(recorded_["decoder.in.sample"],
                                                timesteps(recorded_["decoder.in.timestep"], 4), conditioning);
  EXPECT_CLOSE(output, recorded_["decoder.out.sample"], kNetwork);
}

TEST_F(Generating, BothSuperResolutionNetsEqualDiffusers) {
  const torch::NoGradGuard no_grad;
  const model::StoredUpsampler& stage = model_.model().upsamplers.at(0);
  if (!stage.last_step) FAIL() << "the last step has no net of its own";
  for (const auto& [name, net] :
       {std::pair("super_res_first", &stage.net), std::pair("super_res_last", &*stage.last_step)}) {
    auto upsampler = model::load_net<upsampler::Upsampler>(*net, torch::kFloat32);
    const std::string prefix = name;
    const torch::Tensor output = upsampler->unet->forward(recorded_[prefix + ".in.sample"],
                                                          timesteps(recorded_[prefix + ".in.timestep"], 2));
    EXPECT_CLOSE(output, recorded_[prefix + ".out.sample"], kNetwork) << name;
  }
}

/// One step of a stage from the recorded sample and network output, compared with what diffusers made of it.
void expect_same_step(const Fixture& recorded,
                      const std::string& stage,
                      const diffusion::DiffusionConfig& config,
                      const diffusion::SamplerConfig& sampler) {
  const diffusion::NoiseSchedule schedule(config.schedule);
  const diffusion::Trajectory path = diffusion::trajectory(sampler, schedule);
  for (size_t i = 0; i < path.steps.size(); ++i) {
    const std::string step = stage + ".step" + std::to_string(i);
    const diffusion::Denoiser denoise = diffusion::threshold(
        diffusion::make_denoiser(
            schedule, config,
            [&](const torch::Tensor&, int64_t) { return recorded[step + ".model_output"]; }),
        config.threshold);
    const diffusion::SamplingHooks hooks{
        .noise = [&](const torch::Tensor&, int64_t) { return recorded["noise." + step]; }, .observer = {}};
    const torch::Tensor x = diffusion::sample_ddpm(denoise, recorded[step + ".sample"],
                                                   {schedule, {path.steps[i]}}, {sampler.variance}, hooks);
    EXPECT_CLOSE(x, recorded[step + ".prev_sample"], {.absolute = 2e-6, .relative = 1e-6}) << step;
  }
}

TEST_F(Generating, SchedulerStepsEqualDiffusers) {
  const Plan plan = make_plan(model_.model(), {.prior_steps = "4", .steps = "5"});
  if (!plan.prior) FAIL() << "there is no prior to plan";
  expect_same_step(recorded_, "prior", model_.model().prior->config.diffusion, plan.prior->sampler);
  expect_same_step(recorded_, "decoder", model_.model().decoder->config.diffusion, plan.decoder.sampler);
}

GenerateRequest recorded_request(const std::string& name,
                                 size_t captions,
                                 double prior_guidance,
                                 double guidance) {
  return {.captions = {kCaptions.begin(), kCaptions.begin() + static_cast<std::ptrdiff_t>(captions)},
          .seeds = std::vector<uint64_t>(captions),
          .sampling = {.prior_guidance = prior_guidance,
                       .guidance = guidance,
                       .prior_steps = "4",
                       .steps = "5",
                       .upsampler_steps = {"3"}},
          .recorded_noise = fixtures(name + ".safetensors")};
}

TEST_F(Generating, TwoCaptionsWithGuidanceEqualDiffusers) {
  const Pictures drawn = model_.generate(recorded_request("guided", 2, 4, 8), *silent_progress());
  EXPECT_CLOSE(drawn.z_i, recorded_["text_proj.in.image_embeddings"], kNetwork);
  EXPECT_CLOSE(drawn.base, recorded_["decoder.step4.prev_sample"].clamp(-1, 1), kPicture);
  EXPECT_CLOSE(in_unit_range(drawn.pictures), recorded_["image"], kPicture);
}

TEST_F(Generating, OneCaptionWithoutGuidanceEqualsDiffusers) {
  const Pictures drawn = model_.generate(recorded_request("unguided", 1, 1, 1), *silent_progress());
  EXPECT_CLOSE(in_unit_range(drawn.pictures), Fixture("karlo/unguided")["image"], kPicture);
}

TEST_F(Generating, GuidanceIsOffUnlessAScaleExceedsOne) {
  const Plan off = make_plan(model_.model(), {.prior_guidance = 0.5, .guidance = 0.0});
  EXPECT_EQ(off.prior->guidance, 1.0);
  EXPECT_EQ(off.decoder.guidance, 1.0);
  const Plan on = make_plan(model_.model(), {.prior_guidance = 0.5, .guidance = 2.0});
  EXPECT_EQ(on.prior->guidance, 0.5);
  EXPECT_EQ(on.decoder.guidance, 2.0);
}

TEST_F(Generating, DrawsKarlosStepsByDefault) {
  const Plan plan = make_plan(model_.model(), {});
  EXPECT_EQ(plan.prior->sampler.timesteps, "linspace25");
  EXPECT_EQ(plan.prior->guidance, 4.0);
  EXPECT_EQ(plan.prior->candidates, 1);
  EXPECT_EQ(plan.decoder.sampler.timesteps, "linspace25");
  EXPECT_EQ(plan.decoder.guidance, 8.0);
  EXPECT_EQ(plan.upsamplers.at(0).sampler.timesteps, "linspace7");
}

TEST_F(Generating, RecordedNoiseMustFit) {
  const auto sampling = [&](GenerateRequest request) {
    return error_of([&] { model_.generate(request, *silent_progress()); });
  };
  GenerateRequest request = recorded_request("guided", 2, 4, 8);
  request.sampling.prior_steps = "5";
  EXPECT_THAT(sampling(request), HasSubstr("has no tensor 'noise.prior.step3', which this drawing needs"));
  request.sampling.prior_steps = "3";
  EXPECT_THAT(sampling(request), HasSubstr("did not use: 'noise.prior.step2'"));
  request = recorded_request("guided", 2, 4, 8);
  request.captions.pop_back();
  request.seeds.pop_back();
  EXPECT_THAT(sampling(request),
              HasSubstr("'noise.init0' is Float [2, 24], expected floating point [1, 24]"));
  request.recorded_noise = fixtures("generating/prior/diffusion_pytorch_model.safetensors");
  EXPECT_THAT(sampling(request), HasSubstr("holds no tensors called noise.*"));
}

TEST_F(Generating, NeedsAnImageEncoderToVary) {
  const VaryRequest request{.picture = torch::zeros({8, 8, 3}, torch::kUInt8), .seeds = {1}, .sampling = {}};
  EXPECT_THAT(error_of([&] { model_.vary(request, *silent_progress()); }),
              HasSubstr("has no stage 'image_encoder', only: decoder, prior"));
}

class Varying : public ::testing::Test {
 protected:
  Fixture recorded_{"karlo/variation"};
  Unclip model_{fixtures("varying"), torch::kFloat32};
};

TEST_F(Varying, EncodersAndPreprocessingEqualTransformers) {
  const model::Model& model = model_.model();
  EXPECT_CLOSE(image::preprocess(recorded_["picture"], model.preprocessing),
               recorded_["image_encoder.in.sample"], {.absolute = 1e-6, .relative = 0});
  EXPECT_CLOSE(model_.clip().embed_pictures(std::vector{recorded_["picture"]}),
               recorded_["image_encoder.out.image_embeds"], kNetwork);
  EXPECT_CLOSE(model_.clip().encode_text(std::vector<std::string>{""}).z_t,
               recorded_["text_encoder.out.text_embeds"], kNetwork);
}

TEST_F(Varying, TwoVariationsEqualDiffusers) {
  const Pictures drawn = model_.vary({.picture = recorded_["picture"],
                                      .seeds = {0, 0},
                                      .sampling = {.guidance = 3.0, .steps = "4", .upsampler_steps = {"3"}},
                                      .recorded_noise = fixtures("variation.safetensors")},
                                     *silent_progress());
  EXPECT_CLOSE(drawn.base, recorded_["decoder.step3.prev_sample"].clamp(-1, 1), kPicture);
  EXPECT_CLOSE(in_unit_range(drawn.pictures), recorded_["image"], kPicture);
}

TEST_F(Varying, HalfPrecisionStaysNearSinglePrecision) {
  Unclip half(fixtures("varying"), torch::kBFloat16);
  const torch::Tensor expected = recorded_["image_encoder.out.image_embeds"];
  EXPECT_CLOSE(half.clip().embed_pictures(std::vector{recorded_["picture"]}), expected,
               {.absolute = 0, .relative = 0.03});
}

TEST_F(Varying, NeedsAPriorToGenerate) {
  EXPECT_THAT(error_of([&] { make_plan(model_.model(), {}); }),
              HasSubstr("has no stage 'prior', only: decoder, image_encoder"));
}

/// A copy of a folder, to be damaged.
class Damaged : public ::testing::Test {
 protected:
  Damaged() { fs::copy(fixtures("generating"), model_, fs::copy_options::recursive); }
  void replace(const std::string& file, const std::string& old_text, const std::string& text) {
    std::string content = io::read_text(model_ / file, 1 << 20);
    const size_t at = content.find(old_text);
    ASSERT_NE(at, std::string::npos) << file << " lacks " << old_text;
    content.replace(at, old_text.size(), text);
    io::write_file_atomically(model_ / file, content);
  }
  std::string opening() {
    return error_of([&] { model::open_model(model_); });
  }
  std::string loading() {
    return error_of(
        [&] { model::load_net<decoder::Decoder>(*model::open_model(model_).decoder, torch::kFloat32); });
  }
  testing::TemporaryFolder folder_;
  fs::path model_ = folder_ / "model";
};

struct WrongSetting {
  const char* file;
  const char* old_text;
  const char* text;
  const char* error;
};

TEST_F(Damaged, SettingsThatCannotBeRunAreNamed) {
  const std::vector<WrongSetting> cases{
      {"model_index.json", "\"UnCLIPPipeline\"", "\"KandinskyPipeline\"",
       "'_class_name' is KandinskyPipeline"},
      {"model_index.json", "\"PriorTransformer\"", "\"UNet2DModel\"",
       "'prior' is [\"diffusers\",\"UNet2DModel\"]"},
      {"decoder/config.json", "\"SimpleCrossAttnDownBlock2D\"", "\"CrossAttnDownBlock2D\"",
       "decoder/config.json: 'down_block_types' has the block type 'CrossAttnDownBlock2D'"},
      {"decoder/config.json", "\"ResnetUpsampleBlock2D\"", "\"SimpleCrossAttnUpBlock2D\"",
       "'up_block_types' do not mirror"},
      {"decoder/config.json", "\"identity\"", "\"timestep\"", "'class_embed_type' is \"timestep\""},
      {"decoder/config.json", "\"act_fn\": \"silu\"", "\"act_fn\": \"gelu\"",
       "'act_fn' is \"gelu\", expected"},
      {"decoder/config.json", "\"sample_size\": 8", "\"sample_size\": -8",
       "'sample_size' is -8, expected a whole"},
      {"prior/config.json", "\"num_layers\": 3", "\"num_layers\": 3.5",
       "'num_layers' is 3.5, expected a whole"},
      {"prior/config.json", "\"embedding_dim\": 24", "\"embedding_dim\": 25",
       "'embedding_dim' is 25, expected 24"},
      {"prior/config.json", "\"num_layers\": 3", "\"num_layers\": 3,,", "prior/config.json is damaged"},
      {"text_proj/config.json", "\"time_embed_dim\": 32", "\"time_embed_dim\": 31", "'time_embed_dim' is 31"},
      {"prior_scheduler/scheduler_config.json", "squaredcos_cap_v2", "linear",
       "prior_scheduler/scheduler_config.json: 'beta_schedule' is \"linear\""},
      {"prior_scheduler/scheduler_config.json", "fixed_small_log", "learned_range", "describes no model"},
      {"tokenizer/tokenizer_config.json", "\"model_max_length\": 20", "\"model_max_length\": 40",
       "'model_max_length' is 40, expected 2 to 20"}};
  for (const WrongSetting& wrong : cases) {
    const std::string before = io::read_text(model_ / wrong.file, 1 << 20);
    replace(wrong.file, wrong.old_text, wrong.text);
    EXPECT_THAT(opening(), HasSubstr(wrong.error)) << wrong.file;
    io::write_file_atomically(model_ / wrong.file, before);
  }
  EXPECT_EQ(opening(), "");
}

TEST_F(Damaged, MissingFilesAreNamed) {
  fs::remove(model_ / "decoder/config.json");
  EXPECT_THAT(opening(), HasSubstr("decoder/config.json"));
  fs::remove_all(model_);
  EXPECT_THAT(opening(), HasSubstr("there is no model"));
}

TEST_F(Damaged, TensorsAreNamedAsInTheFile) {
  const fs::path file = model_ / "decoder/diffusion_pytorch_model.safetensors";
  const io::NamedTensors good = io::SafetensorsFile(file).tensors();
  const auto with = [&](const std::function<void(io::NamedTensors&)>& change) {
    io::NamedTensors tensors;
    for (const auto& [name, tensor] : good) tensors[name] = tensor.clone();
    change(tensors);
    fs::remove(file);
    io::write_safetensors(file, tensors);
    return loading();
  };
  const std::string key = "down_blocks.1.attentions.0.to_q.weight";
  EXPECT_THAT(
      with([&](auto& t) { t.erase(key); }),
      HasSubstr("decoder/diffusion_pytorch_model.safetensors does not fit the model: missing '" + key));
  EXPECT_THAT(with([&](auto& t) { t["conv_in.scale"] = torch::ones({1}); }),
              HasSubstr("unexpected 'conv_in.scale'"));
  EXPECT_THAT(with([&](auto& t) { t["conv_in.bias"] = torch::ones({7}); }),
              HasSubstr("'conv_in.bias' has shape [7], expected [8]"));
  EXPECT_THAT(with([&](auto& t) { t["conv_in.bias"] = torch::ones({8}, torch::kInt32); }),
              HasSubstr("'conv_in.bias' has type Int"));
  fs::remove(file);
  EXPECT_THAT(loading(),
              HasSubstr("decoder' holds no weights: expected diffusion_pytorch_model.safetensors"));
}

}  // namespace
}  // namespace unclip::pipeline
