// Karlo in Kakao's own files: what diffusers draws with the same weights (tools/fixtures/cases/kakao.py), and
// names and shapes of the released files at their full size (tests/fixtures/karlo/full_size).
#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "support/close.h"
#include "support/error_of.h"
#include "support/fixture.h"
#include "support/temporary_folder.h"
#include "unclip/clip/key_map.h"
#include "unclip/decoder/key_map.h"
#include "unclip/io/file.h"
#include "unclip/io/state.h"
#include "unclip/model/formats/kakao_shapes.h"
#include "unclip/model/weights.h"
#include "unclip/pipeline/unclip.h"
#include "unclip/prior/key_map.h"
#include "unclip/upsampler/key_map.h"

namespace unclip::model {
namespace {

namespace fs = std::filesystem;
using testing::error_of;
using testing::Fixture;
using ::testing::HasSubstr;

constexpr testing::Tolerance kPicture{.absolute = 1e-3, .relative = 0};

const fs::path kKarlo = fs::path(UNCLIP_FIXTURES) / "karlo";
const std::vector<std::string> kCaptions{"a red cat", "the moon's 2 robots"};

torch::Tensor in_unit_range(const torch::Tensor& pictures) {
  return ((pictures + 1) / 2).permute({0, 2, 3, 1});
}

TEST(Kakao, TwoCaptionsEqualDiffusers) {
  const Fixture recorded("karlo/kakao_guided");
  pipeline::Unclip model(kKarlo / "kakao", torch::kFloat32);
  EXPECT_TRUE(torch::equal(model.clip().encode_text(kCaptions).ids, recorded["text_encoder.in.sample"]));
  const pipeline::Pictures drawn = model.generate(
      {.captions = kCaptions,
       .seeds = {0, 0},
       .sampling =
           {.prior_guidance = 4, .guidance = 8, .prior_steps = "4", .steps = "5", .upsampler_steps = {"3"}},
       .recorded_noise = kKarlo / "kakao_guided.safetensors"},
      *silent_progress());
  EXPECT_CLOSE(drawn.z_i, recorded["text_proj.in.image_embeddings"], {.absolute = 1e-5, .relative = 2e-5});
  EXPECT_CLOSE(in_unit_range(drawn.pictures), recorded["image"], kPicture);
}

TEST(Kakao, TwoVariationsEqualDiffusers) {
  const Fixture recorded("karlo/kakao_variation");
  pipeline::Unclip model(kKarlo / "kakao", torch::kFloat32);
  const pipeline::Pictures drawn =
      model.vary({.picture = recorded["picture"],
                  .seeds = {0, 0},
                  .sampling = {.guidance = 3.0, .steps = "4", .upsampler_steps = {"3"}},
                  .recorded_noise = kKarlo / "kakao_variation.safetensors"},
                 *silent_progress());
  EXPECT_CLOSE(in_unit_range(drawn.pictures), recorded["image"], kPicture);
}

TEST(Kakao, CaptionsAreReadAsOpenAisTokenizerDoes) {
  pipeline::Unclip kakao(kKarlo / "kakao", torch::kFloat32),
      diffusers(kKarlo / "generating", torch::kFloat32);
  EXPECT_TRUE(kakao.clip().encode_text(std::vector<std::string>{"a!"}).ids[0][2].item<int64_t>() > 0);
  EXPECT_EQ(diffusers.clip().encode_text(std::vector<std::string>{"a!"}).ids[0][2].item<int64_t>(),
            0);  // there "!" is the padding
}

// Full size -----------------------------------------------------------------------------------------

/// The tensors of one file, without numbers, from a list of names and shapes.
io::NamedTensors listed(const std::string& list, const std::string& file) {
  std::ifstream lines(kKarlo / "full_size" / list);
  io::NamedTensors tensors;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string owner, name, size;
    words >> owner >> name;
    if (owner != file) continue;
    std::vector<int64_t> shape;
    while (std::getline(words >> std::ws, size, ',')) shape.push_back(std::stoll(size));
    tensors[name] = torch::empty(shape, torch::kMeta);
  }
  EXPECT_FALSE(tensors.empty()) << list << " has no " << file;
  return tensors;
}

io::NamedTensors with_prefix(const std::string& prefix, const io::NamedTensors& tensors) {
  io::NamedTensors result;
  for (const auto& [name, tensor] : tensors) result[prefix + name] = tensor;
  return result;
}

/// Every listed tensor has its place in the net, and every tensor of the net is listed.
template <class Net, class Config, class... Arguments>
void expect_covered(const io::NamedTensors& theirs,
                    const io::KeyMap& map,
                    const Config& config,
                    Arguments... arguments) {
  const nn::ParameterDevice shapes_only(torch::kMeta);
  const io::NamedTensors ours = io::state_of(*Net(config, arguments...));
  EXPECT_NO_THROW(io::check_fit(ours, map.map_to_ours(theirs, "list"), "list"));
  io::NamedTensors needed = theirs;
  std::erase_if(needed, [&](const auto& item) { return map.ignores(item.first); });
  EXPECT_NO_THROW(io::check_fit(map.map_to_theirs(ours, "net"), needed, "net"));
}

class FullSize : public ::testing::Test {
 protected:
  Model model_ = open_model(kKarlo / "full_size");
  kakao::Settings settings_;
};

TEST_F(FullSize, DiffusersFoldersAreCovered) {
  using upsampler::Upsampler;
  expect_covered<prior::DiffusionPrior>(listed("diffusers.txt", "prior"), model_.prior->weights.key_map,
                                        model_.prior->config);
  io::NamedTensors decoder = with_prefix("unet.", listed("diffusers.txt", "decoder"));
  decoder.merge(with_prefix("text_proj.", listed("diffusers.txt", "text_proj")));
  expect_covered<decoder::Decoder>(decoder, model_.decoder->weights.key_map, model_.decoder->config);
  const StoredUpsampler& stage = model_.upsamplers.at(0);
  expect_covered<Upsampler>(listed("diffusers.txt", "super_res_first"), stage.net.weights.key_map,
                            stage.net.config);
  expect_covered<Upsampler>(listed("diffusers.txt", "super_res_last"), stage.last_step->weights.key_map,
                            stage.last_step->config);
  expect_covered<clip::Clip>(listed("diffusers.txt", "text_encoder"), clip::hugging_face_key_map(),
                             model_.text_encoder->config, clip::Towers::text);
}

TEST_F(FullSize, KakaosPriorIsReadOffItsTensors) {
  const std::string where = "list";
  io::NamedTensors tensors = listed("kakao.txt", "prior");
  const auto shape = kakao::prior_shape({tensors, where, ""}, settings_);
  EXPECT_EQ(config_to_json(shape.transformer), config_to_json(model_.prior->config.transformer));
  EXPECT_EQ(shape.embed_dim, 768);
  EXPECT_EQ(shape.text_context, 77);
  tensors.merge(with_prefix("stats.", listed("kakao.txt", "statistics")));
  expect_covered<prior::DiffusionPrior>(tensors, prior::kakao_key_map(shape.transformer.heads),
                                        model_.prior->config);
}

TEST_F(FullSize, KakaosDecoderIsReadOffItsTensors) {
  const std::string where = "list";
  const io::NamedTensors tensors = listed("kakao.txt", "decoder");
  const auto shape = kakao::decoder_shape({tensors, where, ""}, settings_);
  EXPECT_EQ(config_to_json(shape.unet), config_to_json(model_.decoder->config.unet));
  EXPECT_EQ(shape.image_tokens, 4);
  EXPECT_EQ(shape.embed_dim, 768);
  expect_covered<decoder::Decoder>(tensors, decoder::kakao_key_map(model_.decoder->config),
                                   model_.decoder->config);
}

TEST_F(FullSize, KakaosSuperResolutionIsReadOffItsTensors) {
  const std::string where = "list";
  const io::NamedTensors tensors = listed("kakao.txt", "super_res");
  const upsampler::UpsamplerConfig& config = model_.upsamplers.at(0).net.config;
  for (const auto& [net, prefix] : {std::pair(upsampler::KakaoNet::first_steps, "model_first_steps."),
                                    std::pair(upsampler::KakaoNet::last_step, "model_last_step.")}) {
    const nn::UNetConfig shape = kakao::super_resolution_shape({tensors, where, ""}, prefix, settings_);
    EXPECT_EQ(config_to_json(shape), config_to_json(config.unet)) << prefix;
    expect_covered<upsampler::Upsampler>(tensors, upsampler::kakao_key_map(config, net), config);
  }
}

TEST_F(FullSize, OpenAisClipIsReadOffItsTensors) {
  const io::NamedTensors tensors = listed("kakao.txt", "clip");
  const clip::ClipConfig shape = clip::shape_of(clip::openai_key_map().map_to_ours(tensors, "list"), "list",
                                                settings_.clip_head_channels);
  EXPECT_EQ(config_to_json(shape.text), config_to_json(model_.text_encoder->config.text));
  expect_covered<clip::Clip>(tensors, clip::openai_key_map(), shape);
  expect_covered<clip::Clip>(tensors, clip::one_tower(clip::openai_key_map(), clip::Towers::text), shape,
                             clip::Towers::text);
  expect_covered<clip::Clip>(tensors, clip::one_tower(clip::openai_key_map(), clip::Towers::image), shape,
                             clip::Towers::image);
  expect_covered<clip::Clip>(listed("diffusers.txt", "image_encoder"), clip::hugging_face_key_map(), shape,
                             clip::Towers::image);
}

// Wrong input ---------------------------------------------------------------------------------------

class DamagedSet : public ::testing::Test {
 protected:
  DamagedSet() { fs::copy(kKarlo / "kakao", model_, fs::copy_options::recursive); }
  std::string refusal(ErrorKind kind) {
    return error_of(kind, [&] { open_model(model_); });
  }
  testing::TemporaryFolder folder_;
  fs::path model_ = folder_ / "model";
  const char* decoder_ = "decoder-ckpt-step=01000000-of-01000000.ckpt";
};

TEST_F(DamagedSet, MissingFilesAreNamed) {
  fs::remove(model_ / "ViT-L-14.pt");
  EXPECT_THAT(refusal(ErrorKind::io), HasSubstr("has no ViT-L-14.pt"));
  fs::copy(kKarlo / "kakao/ViT-L-14.pt", model_ / "ViT-L-14.pt");
  fs::remove(model_ / "improved-sr-ckpt-step=1.2M.ckpt");
  EXPECT_THAT(refusal(ErrorKind::io), HasSubstr("has no improved-sr-ckpt*.ckpt"));
  fs::remove(model_ / decoder_);
  EXPECT_THAT(refusal(ErrorKind::io), HasSubstr("nor Kakao's decoder-ckpt*.ckpt"));
}

TEST_F(DamagedSet, TwoCheckpointsOfOneStageAreRefused) {
  fs::copy(model_ / decoder_, model_ / "decoder-ckpt-step=2.ckpt");
  EXPECT_THAT(refusal(ErrorKind::io), HasSubstr("has both 'decoder-ckpt-step=0"));
}

TEST_F(DamagedSet, WithoutAPriorItStillVaries) {
  fs::remove(model_ / "prior-ckpt-step=01000000-of-01000000.ckpt");
  const Model model = open_model(model_);
  EXPECT_FALSE(model.prior.has_value());
  EXPECT_NO_THROW(load_net<clip::Clip>(*model.image_encoder, torch::kFloat32, clip::Towers::image));
}

TEST_F(DamagedSet, StatisticsBelongToThePrior) {
  fs::remove(model_ / "ViT-L-14_stats.th");
  const Model model = open_model(model_);
  EXPECT_THAT(
      error_of(ErrorKind::io, [&] { load_net<prior::DiffusionPrior>(*model.prior, torch::kFloat32); }),
      HasSubstr("has no ViT-L-14_stats.th"));
}

TEST_F(DamagedSet, OtherFilesUnderTheRightNameAreRefused) {
  fs::copy(model_ / "prior-ckpt-step=01000000-of-01000000.ckpt", model_ / decoder_,
           fs::copy_options::overwrite_existing);
  EXPECT_THAT(refusal(ErrorKind::checkpoint), HasSubstr("is no decoder of Karlo: it lacks 'model."));
  fs::copy(fs::path(UNCLIP_FIXTURES) / "io/weights/evil_posix.bin", model_ / decoder_,
           fs::copy_options::overwrite_existing);
  EXPECT_THAT(refusal(ErrorKind::checkpoint), HasSubstr("asks for 'posix.system'"));
}

TEST_F(DamagedSet, SettingsAreChecked) {
  const auto with = [&](std::string_view settings, ErrorKind kind) {
    io::write_file_atomically(model_ / "karlo.json", settings);
    return refusal(kind);
  };
  EXPECT_THAT(with(R"({"heads": 4})", ErrorKind::config), HasSubstr("unknown setting 'heads'"));
  EXPECT_THAT(with(R"({"groups": 0})", ErrorKind::config), HasSubstr("has the value 0, expected 1 or more"));
  EXPECT_THAT(with("{", ErrorKind::config), HasSubstr("karlo.json"));
  EXPECT_THAT(
      with(R"({"clip_head_channels": 8, "groups": 4, "size": 8, "large_size": 32})", ErrorKind::config),
      HasSubstr("not divisible by"));  // heads are 64 wide unless the file says 4
}

TEST_F(DamagedSet, OwnWordsMustBeThere) {
  fs::remove(model_ / "vocab.json");
  EXPECT_THAT(refusal(ErrorKind::io), HasSubstr("has no vocab.json"));
}

}  // namespace
}  // namespace unclip::model
