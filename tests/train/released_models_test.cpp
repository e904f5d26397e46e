// Training that learns from, or starts from, models in other libraries' layouts.
#include <gmock/gmock.h>

#include <fstream>

#include "support/error_of.h"
#include "support/temporary_folder.h"
#include "unclip/decoder/decoder.h"
#include "unclip/image/encode.h"
#include "unclip/io/file.h"
#include "unclip/io/state.h"
#include "unclip/model/weights.h"
#include "unclip/prior/diffusion_prior.h"
#include "unclip/train/decoder_stage.h"
#include "unclip/train/first_weights.h"
#include "unclip/train/prior_stage.h"
#include "unclip/train/run_folder.h"
#include "unclip/train/runs.h"
#include "unclip/train/trained_model.h"
#include "unclip/train/upsampler_stage.h"

namespace unclip::train {
namespace {

namespace fs = std::filesystem;
using testing::error_of;
using ::testing::HasSubstr;

const fs::path kClips = fs::path(UNCLIP_FIXTURES) / "clip" / "released";
const fs::path kKarlo = fs::path(UNCLIP_FIXTURES) / "karlo";
const fs::path kVocabulary = fs::path(UNCLIP_SOURCE_DIR) / "assets" / "clip-tokenizer";

/// One step that changes next to nothing.
TrainConfig one_step() {
  TrainConfig train{.steps = 1, .precision = Precision::fp32, .log_every = 1, .evaluate_every = 1};
  train.optimizer.learning_rate = 1e-30;
  train.optimizer.weight_decay = 0;
  return train;
}

class ReleasedModels : public ::testing::Test {
 protected:
  ReleasedModels() {
    fs::create_directories(folder_ / "pictures");
    for (uint64_t i = 0; i < 4; ++i) {
      const auto pixels = (uniform_noise({1, i, 0}, {40, 40, 3}) * 255).to(torch::kUInt8);
      const fs::path stem = folder_ / "pictures" / std::to_string(i);
      image::write_picture(fs::path(stem) += ".png", pixels);
      std::ofstream(fs::path(stem) += ".txt") << "a red cat\n";
    }
  }
  template <class Run>
  void train(const Run& run,
             void (*stage)(const RunRequest&, Progress&),
             const fs::path& clip,
             const fs::path& from) {
    RunRequest request;
    request.config = folder_ / "config.json";
    io::write_file_atomically(request.config, config_to_json(run));
    request.data = {(folder_ / "pictures").string()};
    request.clip = clip;
    request.from = from;
    request.vocabulary = kVocabulary;
    request.out = folder_ / "run";
    fs::remove_all(request.out);
    stage(request, *silent_progress());
  }
  void expect_weights(const io::NamedTensors& expected) {
    const auto got =
        io::SafetensorsFile(RunFolder(folder_ / "run").require_latest() / "ema.safetensors").tensors();
    ASSERT_EQ(got.size(), expected.size());
    for (const auto& [name, tensor] : expected) {
      if (name.starts_with("stats.")) continue;  // of the data that is trained on
      EXPECT_LT((tensor.to(torch::kFloat32) - got.at(name)).abs().max().item<double>(), 1e-6) << name;
    }
  }
  static data::LoaderConfig pictures_of(int64_t size) {
    return {.batch_size = 2, .workers = 1, .picture = {.size = size}};
  }
  testing::TemporaryFolder folder_;
};

TEST_F(ReleasedModels, APriorLearnsFromTheClipOfAnyLayout) {
  for (const fs::path& clip : {kClips / "hf_quick_gelu", kClips / "hf_sharded_f16", kClips / "open_clip_gelu",
                               kClips / "openai" / "tiny.pt", kKarlo / "kakao"}) {
    const model::Model source = model::open_model(clip, kVocabulary);
    const clip::ClipConfig& text = source.text_encoder->config;
    PriorRun run;
    run.model = {.embed_dim = text.embed_dim,
                 .transformer = {.width = 16, .layers = 1, .heads = 2},
                 .text_source = prior::PriorText::clip,
                 .text_context = source.text.context_length,
                 .text_width = text.text.width};
    run.data = pictures_of(32);
    run.train = one_step();
    EXPECT_NO_THROW(train(run, train_prior, clip, {})) << clip;
  }
}

TEST_F(ReleasedModels, TrainingGoesOnFromKakaosFiles) {
  const fs::path kakao = kKarlo / "kakao";
  const model::Model source = model::open_model(kakao, kVocabulary);
  PriorRun prior{.model = source.prior->config, .data = pictures_of(32), .train = one_step()};
  train(prior, train_prior, kakao, kakao);
  expect_weights(model::read_tensors<prior::DiffusionPrior>(*source.prior));

  DecoderRun decoder{.model = source.decoder->config,
                     .data = pictures_of(source.decoder->config.unet.size),
                     .train = one_step()};
  train(decoder, train_decoder, kakao, kakao);
  expect_weights(model::read_tensors<decoder::Decoder>(*source.decoder));

  const model::StoredUpsampler& stored = source.upsamplers.front();
  UpsamplerRun upsampler{
      .model = stored.net.config, .data = pictures_of(stored.net.config.unet.size), .train = one_step()};
  upsampler.data.picture.low_res = stored.net.config.low_size;
  train(upsampler, train_upsampler, {}, kakao);
  expect_weights(model::read_tensors<upsampler::Upsampler>(stored.net));
}

TEST_F(ReleasedModels, TrainingGoesOnFromDiffusersFolder) {
  const fs::path varying = kKarlo / "varying";
  const model::Model source = model::open_model(varying);
  DecoderRun decoder{.model = source.decoder->config,
                     .data = pictures_of(source.decoder->config.unet.size),
                     .train = one_step()};
  train(decoder, train_decoder, varying, varying);
  expect_weights(model::read_tensors<decoder::Decoder>(*source.decoder));

  const model::Model generating = open_trained(kKarlo / "generating");
  prior::DiffusionPrior prior(generating.prior->config);
  nn::initialize_parameters(*prior, 1);
  start_from(*prior, generating, "prior");
  for (const auto& [name, tensor] : model::read_tensors<prior::DiffusionPrior>(*generating.prior))
    EXPECT_TRUE(torch::equal(io::state_of(*prior).at(name), tensor.to(torch::kFloat32))) << name;
}

TEST_F(ReleasedModels, WhatAModelLacksIsNamed) {
  PriorRun run{.data = pictures_of(32), .train = one_step()};
  EXPECT_THAT(error_of(ErrorKind::checkpoint,
                       [&] { train(run, train_prior, kClips / "hf_towers" / "text_encoder", {}); }),
              HasSubstr("has no whole CLIP"));
  EXPECT_THAT(error_of(ErrorKind::io, [&] { train(run, train_prior, kClips / "pictures", {}); }),
              HasSubstr("neither a run nor a model directory"));
}

}  // namespace
}  // namespace unclip::train
