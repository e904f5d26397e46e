// Every column of the paper's Table 3 as a configuration in configs/paper: read, validated, and counted
// against formulas that are written down here independently of the modules, without allocating the weights.
#include <gtest/gtest.h>

#include "unclip/io/file.h"
#include "unclip/train/ar_prior_stage.h"
#include "unclip/train/clip_stage.h"
#include "unclip/train/decoder_stage.h"
#include "unclip/train/prior_stage.h"
#include "unclip/train/upsampler_stage.h"

namespace unclip::train {
namespace {

template <class Run>
Run read(const std::string& name) {
  const std::string path = std::string(UNCLIP_SOURCE_DIR) + "/configs/" + name;
  return config_from_json<Run>(io::read_text(path, 1 << 20), path);
}

int64_t linear(int64_t in, int64_t out) { return in * out + out; }
int64_t transformer(int64_t width, int64_t layers) {
  return layers * (12 * width * width + 13 * width);  // qkv, out, 4× MLP with biases; two norms
}

/// ADM UNet by its recipe: residual blocks with adaptive norms, BigGAN resampling blocks, attention with
/// context tokens.
struct AdmCount {
  int64_t channels, depth;
  std::vector<int64_t> mult;
  std::vector<bool> attends;  // per level
  bool mid_attention;
  int64_t context, in, out;

  int64_t res(int64_t from, int64_t to) const {
    const int64_t norms = 2 * from + 2 * to, convolutions = 9 * from * to + to + 9 * to * to + to;
    return norms + convolutions + linear(4 * channels, 2 * to) + (from == to ? 0 : linear(from, to));
  }
  int64_t attention(int64_t c) const {
    return 2 * c + linear(c, 3 * c) + linear(c, c) + (context > 0 ? linear(context, 2 * c) : 0);
  }
  int64_t total() const {
    int64_t sum = linear(channels, 4 * channels) + linear(4 * channels, 4 * channels);
    sum += 9 * in * channels * mult[0] + channels * mult[0];
    std::vector<int64_t> skips{channels * mult[0]};
    int64_t width = skips[0];
    for (size_t level = 0; level < mult.size(); ++level) {
      for (int64_t i = 0; i < depth; ++i) {
        sum += res(width, channels * mult[level]);
        width = channels * mult[level];
        if (attends[level]) sum += attention(width);
        skips.push_back(width);
      }
      if (level + 1 < mult.size()) {
        sum += res(width, width);
        skips.push_back(width);
      }
    }
    sum += 2 * res(width, width) + (mid_attention ? attention(width) : 0);
    for (size_t level = mult.size(); level-- > 0;) {
      for (int64_t i = 0; i <= depth; ++i) {
        sum += res(width + skips.back(), channels * mult[level]);
        skips.pop_back();
        width = channels * mult[level];
        if (attends[level]) sum += attention(width);
      }
      if (level > 0) sum += res(width, width);
    }
    return sum + 2 * width + 9 * width * out + out;
  }
};

class PaperConfigs : public ::testing::Test {
 protected:
  nn::ParameterDevice on_meta_{torch::kMeta};
};

TEST_F(PaperConfigs, Clip) {
  const auto run = read<ClipRun>("paper/clip.json");
  clip::Clip model(run.model);
  const int64_t vision =
      3L * 16 * 16 * 1280 + 1280 + 257L * 1280 + 4L * 1280 + transformer(1280, 32) + 1280L * 1024;
  const int64_t text = 49408L * 1024 + 77L * 1024 + transformer(1024, 24) + 2L * 1024 + 1024L * 1024;
  EXPECT_EQ(nn::count_parameters(*model), vision + text + 1);
}

TEST_F(PaperConfigs, DiffusionPrior) {
  const auto run = read<PriorRun>("paper/prior.json");
  prior::DiffusionPrior model(run.model);
  const int64_t w = 2048;
  EXPECT_EQ(nn::count_parameters(*model), transformer(w, 24) + 49408 * w + 2 * linear(1024, w) +
                                              2 * linear(w, w) + w + (256 + 4) * w + 2 * w + linear(w, 1024));
  EXPECT_EQ(run.train.accumulation * run.data.batch_size, 4096);
}

TEST_F(PaperConfigs, AutoregressivePrior) {
  const auto run = read<ArPriorRun>("paper/ar_prior.json");
  prior::AutoregressivePrior model(run.model);
  const int64_t t = 2048, w = 1664, buckets = 1024, bins = 100;
  const int64_t text_encoder = transformer(t, 24) + 49408 * t + 2 * 256 * t + 2 * t;
  const int64_t latent_decoder = transformer(w, 24) + 24 * linear(t, 2 * w) + linear(1024, w) +
                                 (bins + 1) * w + buckets * w + 384 * w + 2 * w + linear(w, buckets);
  EXPECT_EQ(nn::count_parameters(*model), text_encoder + latent_decoder);
  EXPECT_GE(run.model.max_components(), 319);  // the paper's; its context of 384 has room for them
  EXPECT_EQ(run.train.accumulation * run.data.batch_size, 4096);
}

TEST_F(PaperConfigs, Decoder) {
  const auto run = read<DecoderRun>("paper/decoder.json");
  decoder::Decoder model(run.model);
  const AdmCount adm{.channels = 512,
                     .depth = 3,
                     .mult = {1, 2, 3, 4},
                     .attends = {false, true, true, true},
                     .mid_attention = true,
                     .context = 2048,
                     .in = 3,
                     .out = 6};
  const int64_t w = 2048, embed = 2048;
  const int64_t text = transformer(w, 24) + 49408 * w + 512 * w + 2 * w + linear(w, w) + linear(w, embed);
  const int64_t image = linear(1024, embed) + linear(1024, 4 * w);
  EXPECT_EQ(nn::count_parameters(*model), adm.total() + text + image);
  EXPECT_NEAR(static_cast<double>(nn::count_parameters(*model)), 3.5e9, 0.2e9);  // "3.5B" in the paper
  EXPECT_EQ(run.train.accumulation * run.data.batch_size, 2048);
}

TEST_F(PaperConfigs, Upsamplers) {
  const auto first = read<UpsamplerRun>("paper/upsampler_256.json");
  const AdmCount adm_256{.channels = 320,
                         .depth = 3,
                         .mult = {1, 2, 3, 4},
                         .attends = std::vector<bool>(4, false),
                         .mid_attention = false,
                         .context = 0,
                         .in = 6,
                         .out = 3};
  const int64_t count_256 = nn::count_parameters(*upsampler::Upsampler(first.model));
  EXPECT_EQ(count_256, adm_256.total());
  EXPECT_NEAR(static_cast<double>(count_256), 700e6, 40e6);
  const auto second = read<UpsamplerRun>("paper/upsampler_1024.json");
  const AdmCount adm_1024{.channels = 192,
                          .depth = 2,
                          .mult = {1, 1, 2, 2, 4, 4},
                          .attends = std::vector<bool>(6, false),
                          .mid_attention = false,
                          .context = 0,
                          .in = 6,
                          .out = 3};
  const int64_t count_1024 = nn::count_parameters(*upsampler::Upsampler(second.model));
  EXPECT_EQ(count_1024, adm_1024.total());
  EXPECT_NEAR(static_cast<double>(count_1024), 300e6, 40e6);
}

TEST(EmojiConfigs, FitTheBundledModelsBudget) {
  const nn::ParameterDevice on_meta(torch::kMeta);
  const int64_t total =
      nn::count_parameters(*clip::Clip(read<ClipRun>("emoji/clip.json").model)) +
      nn::count_parameters(*prior::DiffusionPrior(read<PriorRun>("emoji/prior.json").model)) +
      nn::count_parameters(*prior::AutoregressivePrior(read<ArPriorRun>("emoji/ar_prior.json").model)) +
      nn::count_parameters(*decoder::Decoder(read<DecoderRun>("emoji/decoder.json").model)) +
      nn::count_parameters(*upsampler::Upsampler(read<UpsamplerRun>("emoji/upsampler_256.json").model)) +
      nn::count_parameters(*upsampler::Upsampler(read<UpsamplerRun>("emoji/upsampler_1024.json").model));
  std::cout << "bundled model: " << total << " parameters\n";
  EXPECT_LE(2 * total, 48'000'000);  // bytes in bfloat16
}

}  // namespace
}  // namespace unclip::train
