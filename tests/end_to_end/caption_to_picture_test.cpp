// From eight captioned pictures to a model that draws them: every stage trained, exported and used as a
// person would, at toy size.
#include <gtest/gtest.h>

#include <fstream>

#include "support/temporary_folder.h"
#include "unclip/image/encode.h"
#include "unclip/io/file.h"
#include "unclip/pipeline/unclip.h"
#include "unclip/train/ar_prior_stage.h"
#include "unclip/train/clip_stage.h"
#include "unclip/train/decoder_stage.h"
#include "unclip/train/export.h"
#include "unclip/train/prior_stage.h"
#include "unclip/train/runs.h"
#include "unclip/train/upsampler_stage.h"

namespace unclip {
namespace {

namespace fs = std::filesystem;

struct Colour {
  const char* name;
  float r, g, b;  // 0…1
};

constexpr std::array<Colour, 8> kColours{{{"red", .9F, .1F, .1F},
                                          {"green", .1F, .7F, .1F},
                                          {"blue", .1F, .2F, .9F},
                                          {"yellow", .95F, .9F, .1F},
                                          {"white", .97F, .97F, .97F},
                                          {"black", .05F, .05F, .05F},
                                          {"violet", .6F, .1F, .8F},
                                          {"orange", .95F, .5F, .05F}}};
constexpr int64_t kLow = 16, kHigh = 32;
constexpr int64_t kVocabulary = 514 + 4;  // eight captions have no more pairs to merge than a few

std::string caption_of(const Colour& colour) { return std::string("a ") + colour.name + " picture"; }

torch::Tensor rgb(const Colour& colour) { return torch::tensor({colour.r, colour.g, colour.b}); }

/// Pictures of one colour with a darker frame, so that the upsampler has an edge to draw.
void write_pictures(const fs::path& folder) {
  fs::create_directories(folder);
  for (const Colour& colour : kColours) {
    torch::Tensor pixels = (rgb(colour) * 255).round().expand({kHigh, kHigh, 3}).clone();
    pixels.slice(0, 0, 4).mul_(0.5);
    image::write_picture(folder / (std::string(colour.name) + ".png"), pixels.to(torch::kUInt8));
    std::ofstream(folder / (std::string(colour.name) + ".txt")) << caption_of(colour) << '\n';
  }
}

train::TrainConfig schedule(int64_t steps, double learning_rate) {
  return {.steps = steps,
          .precision = train::Precision::fp32,
          .optimizer = {.learning_rate = learning_rate, .ema_decay = 0.95},
          .lr = {.warmup_steps = 10},
          .log_every = 10,
          .evaluate_every = steps};
}

data::LoaderConfig loader(int64_t size) { return {.batch_size = 8, .workers = 1, .picture = {.size = size}}; }

train::ClipRun clip_run() {
  train::ClipRun run;
  run.model = {
      .embed_dim = 16,
      .vision = {.image_size = kLow, .patch_size = 8, .width = 32, .layers = 1, .heads = 2},
      .text = {.vocab_size = kVocabulary, .context_length = 12, .width = 32, .layers = 1, .heads = 2}};
  run.data = loader(kLow);
  run.train = schedule(120, 2e-3);
  return run;
}

train::PriorRun prior_run() {
  train::PriorRun run;
  run.model = {.embed_dim = 16,
               .transformer = {.width = 48, .layers = 2, .heads = 3},
               .text_source = prior::PriorText::clip,
               .text_context = 12,
               .text_width = 32,
               .scaling = prior::EmbeddingScaling::standardize,
               .sampling = {.sampler = {.kind = diffusion::Sampler::ddim, .timesteps = "20"}}};
  run.data = loader(kLow);
  run.train = schedule(400, 2e-3);
  return run;
}

train::ArPriorRun ar_prior_run() {
  train::ArPriorRun run;
  run.model = {
      .embed_dim = 16,
      .transformer = {.width = 48, .layers = 2, .heads = 3},
      .context = 10,
      .text_source = prior::PriorText::clip,
      .text_width = 32,
      .reconstruction_error = 0.05,
      .buckets = 32,
      .bucket_range = 4.0,
      // Of eight pictures more bins would tell which it is, against the caption where drawing takes another.
      .dot_product_bins = 2};
  run.fit_pictures = 64;
  run.data = loader(kLow);
  run.train = schedule(300, 3e-3);
  return run;
}

nn::UNetConfig small_unet() {
  return {.size = kLow,
          .out_channels = 3,
          .patch = 4,
          .channels = 16,
          .channel_mult = {1, 2},
          .depth = 1,
          .attention_resolutions = {2},
          .head_channels = 16,
          .context_width = 16,
          .groups = 8};
}

train::DecoderRun decoder_run() {
  train::DecoderRun run;
  run.model = {
      .unet = small_unet(),
      .embed_dim = 16,
      .text = {.source = decoder::DecoderText::clip, .context_length = 12, .clip_width = 32},
      .diffusion = {.parameterization = diffusion::Parameterization::v},
      .sampling = {.sampler = {.kind = diffusion::Sampler::ddim, .timesteps = "20"}, .guidance = 1.5}};
  run.data = loader(kLow);
  run.train = schedule(500, 2e-3);
  run.sheet = {.pictures = 8, .steps = 5};
  return run;
}

train::UpsamplerRun upsampler_run() {
  train::UpsamplerRun run;
  run.model.unet = small_unet();
  run.model.unet.size = kHigh;
  run.model.unet.in_channels = 6;
  run.model.unet.attention_resolutions = {};
  run.model.unet.mid_attention = false;
  run.model.unet.context_width = 0;
  run.model.diffusion = {.parameterization = diffusion::Parameterization::x_0};
  run.model.sampler = {.kind = diffusion::Sampler::ddim, .timesteps = "5"};
  run.model.low_size = kLow;
  run.data = loader(kHigh);
  run.data.picture.low_res = kLow;
  run.train = schedule(150, 2e-3);
  run.sheet_steps = 5;
  return run;
}

class CaptionToPicture : public ::testing::Test {
 protected:
  template <class Run>
  train::RunRequest request(const char* name, const Run& run) {
    const fs::path config = folder_ / (std::string(name) + ".json");
    io::write_file_atomically(config, config_to_json(run));
    return {.config = config,
            .overrides = {},
            .data = {(folder_ / "pictures").string()},
            .validation = {(folder_ / "pictures").string()},
            .tokenizer = folder_ / "tokenizer",
            .clip = folder_ / "clip",
            .out = folder_ / name,
            .resume = false,
            .command = ""};
  }
  void train_all() {
    const auto progress = silent_progress();
    write_pictures(folder_ / "pictures");
    train::train_tokenizer({(folder_ / "pictures").string()}, kVocabulary, folder_ / "tokenizer");
    train::train_clip(request("clip", clip_run()), *progress);
    train::train_prior(request("prior", prior_run()), *progress);
    train::train_ar_prior(request("ar", ar_prior_run()), *progress);
    train::train_decoder(request("decoder", decoder_run()), *progress);
    train::train_upsampler(request("up", upsampler_run()), *progress);
    train::export_model(
        {.runs = {folder_ / "clip", folder_ / "prior", folder_ / "ar", folder_ / "decoder", folder_ / "up"},
         .out = folder_ / "model",
         .card = {},
         .dtype = torch::kBFloat16});
  }
  /// Of the last line of a run's log that has it.
  double last_figure(const char* run, const std::string& name) {
    const std::string log = io::read_text(folder_ / run / "log.jsonl", 1 << 24), key = "\"" + name + "\":";
    const size_t at = log.rfind(key);
    EXPECT_NE(at, std::string::npos) << name;
    return std::stod(log.substr(at + key.size()));
  }
  testing::TemporaryFolder folder_;
};

/// Index of the colour nearest to a picture's lower part, [3, H, W] in −1…1.
size_t nearest_colour(const torch::Tensor& picture) {
  const torch::Tensor mean = picture.slice(1, picture.size(1) / 2).mean({1, 2}) / 2 + 0.5;
  std::vector<double> distances;
  distances.reserve(kColours.size());
  for (const Colour& colour : kColours) distances.push_back((mean - rgb(colour)).norm().item<double>());
  return static_cast<size_t>(std::ranges::min_element(distances) - distances.begin());
}

/// A picture of each colour's caption.
torch::Tensor draw_colours(pipeline::Unclip& model, pipeline::PriorKind prior) {
  pipeline::GenerateRequest request{.captions = {}, .seeds = {}, .sampling = {.prior = prior, .size = kHigh}};
  for (const Colour& colour : kColours) {
    request.captions.push_back(caption_of(colour));
    request.seeds.push_back(request.seeds.size());
  }
  return model.generate(request, *silent_progress()).pictures;
}

/// How many of eight pictures have the colour of their caption.
size_t right_colours(const torch::Tensor& pictures) {
  size_t right = 0;
  for (size_t i = 0; i < kColours.size(); ++i)
    right += static_cast<size_t>(nearest_colour(pictures[static_cast<int64_t>(i)]) == i);
  return right;
}

TEST_F(CaptionToPicture, DrawsWhatTheCaptionSays) {
  train_all();
  pipeline::Unclip model(folder_ / "model", torch::kFloat32);
  const torch::Tensor drawn = draw_colours(model, pipeline::PriorKind::diffusion);
  ASSERT_EQ(drawn.sizes(), (std::vector<int64_t>{8, 3, kHigh, kHigh}));
  EXPECT_GE(right_colours(drawn), 7U);
  EXPECT_GE(right_colours(draw_colours(model, pipeline::PriorKind::ar)), 6U);  // chance would be one
  // Of log₂ 8 bits that tell the picture, most come from the caption.
  const double codes = last_figure("ar", "components");
  EXPECT_GT(
      codes * (last_figure("ar", "validation_bits_without_captions") - last_figure("ar", "validation_bits")),
      1.5);
  const torch::Tensor frame = drawn.slice(2, 0, 3).mean(), inside = drawn.slice(2, 8).mean();
  EXPECT_LT(frame.item<double>(), inside.item<double>() - 0.2);  // the darker frame is at the top

  const auto pixels = (rgb(kColours[0]) * 255).expand({kHigh, kHigh, 3}).to(torch::kUInt8).contiguous();
  const pipeline::Pictures varied =
      model.vary({.picture = pixels, .seeds = {1, 2}, .sampling = {.size = kLow}}, *silent_progress());
  EXPECT_EQ(nearest_colour(varied.pictures[0]), 0U);
}

}  // namespace
}  // namespace unclip
