#include "unclip/pipeline/unclip.h"

#include <ATen/Parallel.h>
#include <gmock/gmock.h>

#include "support/close.h"
#include "support/tiny_model.h"
#include "unclip/image/network.h"

namespace unclip::pipeline {
namespace {

using ::testing::HasSubstr;

constexpr testing::Tolerance kOneLevel{.absolute = 2.0 / 255, .relative = 0};  // of 255, in −1…1

class UnclipTest : public ::testing::Test {
 protected:
  UnclipTest() { testing::write_tiny_model(folder_ / "model"); }
  Unclip open() { return {folder_ / "model", torch::kFloat32}; }
  Pictures generate(const std::vector<std::string>& captions,
                    const std::vector<uint64_t>& seeds,
                    int64_t size = 32) {
    Unclip model = open();
    return model.generate({.captions = captions, .seeds = seeds, .sampling = {.size = size}},
                          *silent_progress());
  }
  std::string error_of(const std::function<void()>& work) {
    try {
      work();
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }
  testing::TemporaryFolder folder_;
};

TEST_F(UnclipTest, DrawsEverySizeOfTheModel) {
  EXPECT_EQ(open().sizes(), (std::vector<int64_t>{16, 32}));
  const Pictures pictures = generate({"a red heart", "a blue cat"}, {1, 2});
  EXPECT_EQ(pictures.z_i.sizes(), (std::vector<int64_t>{2, 16}));
  EXPECT_EQ(pictures.base.sizes(), (std::vector<int64_t>{2, 3, 16, 16}));
  EXPECT_EQ(pictures.pictures.sizes(), (std::vector<int64_t>{2, 3, 32, 32}));
  EXPECT_LE(pictures.pictures.abs().max().item<double>(), 1.0);
  EXPECT_EQ(generate({"a red heart"}, {1}, 16).pictures.size(2), 16);
}

TEST_F(UnclipTest, SameSeedSamePictureInAnyBatchAndThreadCount) {
  const Pictures batch = generate({"a red heart", "a blue cat", "a red heart"}, {1, 2, 3});
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const Pictures alone = generate({"a blue cat"}, {2});
  at::set_num_threads(threads);
  EXPECT_CLOSE(alone.pictures, batch.pictures.slice(0, 1, 2), kOneLevel);
  EXPECT_FALSE(torch::allclose(batch.pictures[0], batch.pictures[2], 0, 0.1));  // other seed, other picture
}

TEST_F(UnclipTest, MorePicturesThanABatchAreTheSame) {
  std::vector<std::string> captions(19, "a red heart");
  std::vector<uint64_t> seeds(19);
  for (size_t i = 0; i < seeds.size(); ++i) seeds[i] = 40 + i;
  const Pictures all = generate(captions, seeds, 16);
  EXPECT_CLOSE(generate({"a red heart"}, {58}, 16).pictures, all.pictures.slice(0, 18, 19), kOneLevel);
}

TEST_F(UnclipTest, KeepsTheCandidateThatClipSeesNearestToZI) {
  const std::vector<std::string> captions{"a red heart", "a blue cat"};
  const std::vector<uint64_t> seeds{1, 2};
  Unclip model = open();
  const auto draw = [&](const std::vector<std::string>& asked, const std::vector<uint64_t>& of,
                        int64_t candidates) {
    SamplingOptions sampling{.size = 16};
    sampling.candidates = candidates;
    return model.generate({.captions = asked, .seeds = of, .sampling = sampling}, *silent_progress());
  };
  const Pictures best = draw(captions, seeds, 3);
  ASSERT_EQ(best.pictures.size(0), 2);
  for (int64_t row = 0; row < 2; ++row) {
    // The prior's z_i of the picture's own seed, drawn with each candidate's noise.
    const auto conditions = Unclip::Conditions{
        .z_i = best.z_i.slice(0, row, row + 1).expand({3, -1}),
        .text = model.clip().encode_text(std::vector<std::string>(3, captions[static_cast<size_t>(row)])),
        .noise = SamplingNoise({seeds[static_cast<size_t>(row)]}).repeated(3)};
    const torch::Tensor all =
        model.draw(conditions, make_plan(model.model(), {.size = 16}), *silent_progress()).pictures;
    const torch::Tensor seen = model.clip().embed_pictures(image::to_pixels(all).unbind());
    const auto nearest = at::cosine_similarity(seen, best.z_i[row].unsqueeze(0)).argmax().item<int64_t>();
    EXPECT_CLOSE(best.pictures[row], all[nearest], kOneLevel);
  }
  const Pictures alone = draw({captions[1]}, {seeds[1]}, 3);
  EXPECT_CLOSE(alone.pictures[0], best.pictures[1], kOneLevel);
  EXPECT_CLOSE(draw(captions, seeds, 1).pictures, generate(captions, seeds, 16).pictures, kOneLevel);
}

TEST_F(UnclipTest, PriorKindsDiffer) {
  Unclip model = open();
  std::vector<torch::Tensor> drawn;
  for (const PriorKind kind : {PriorKind::diffusion, PriorKind::ar, PriorKind::text, PriorKind::none}) {
    drawn.push_back(
        model
            .generate({.captions = {"a red heart"}, .seeds = {1}, .sampling = {.prior = kind, .size = 16}},
                      *silent_progress())
            .pictures);
  }
  EXPECT_FALSE(torch::allclose(drawn[0], drawn[1], 0, 1e-3));
  EXPECT_FALSE(torch::allclose(drawn[1], drawn[2], 0, 1e-3));
  EXPECT_FALSE(torch::allclose(drawn[2], drawn[3], 0, 1e-3));
}

TEST_F(UnclipTest, DrawsFromTheAutoregressivePriorInAnyBatch) {
  Unclip model = open();
  const auto draw = [&](const std::vector<std::string>& captions, const std::vector<uint64_t>& seeds,
                        const SamplingOptions& sampling) {
    return model.generate({.captions = captions, .seeds = seeds, .sampling = sampling}, *silent_progress())
        .z_i;
  };
  const SamplingOptions sampling{
      .prior = PriorKind::ar, .prior_guidance = 2.0, .temperature = 0.8, .size = 16};
  const torch::Tensor batch = draw({"a red heart", "a blue cat"}, {1, 2}, sampling);
  EXPECT_CLOSE(draw({"a blue cat"}, {2}, sampling), batch.slice(0, 1, 2), {.absolute = 1e-5, .relative = 0});
  EXPECT_FALSE(torch::allclose(draw({"a blue cat"}, {3}, sampling), batch.slice(0, 1, 2), 0, 1e-3));
  SamplingOptions cold = sampling;
  cold.temperature = 0.01;
  EXPECT_FALSE(torch::allclose(draw({"a blue cat"}, {2}, cold), batch.slice(0, 1, 2), 0, 1e-3));
}

TEST_F(UnclipTest, VariationsShareTheEmbeddingAndDifferInNoise) {
  Unclip model = open();
  const auto pixels = (uniform_noise({1, 1, 1}, {20, 24, 3}) * 255).to(torch::kUInt8);
  const Pictures pictures =
      model.vary({.picture = pixels, .seeds = {1, 2}, .sampling = {.size = 16}}, *silent_progress());
  EXPECT_TRUE(torch::equal(pictures.z_i[0], pictures.z_i[1]));
  EXPECT_FALSE(torch::allclose(pictures.pictures[0], pictures.pictures[1], 0, 1e-3));
}

TEST_F(UnclipTest, TheLastStepMayHaveANetOfItsOwn) {
  const torch::Tensor before = generate({"a red heart"}, {1}).pictures;
  const auto model = folder_ / "model", last = model / "upsampler_32_last_step";
  std::filesystem::copy(model / "upsampler_32", last, std::filesystem::copy_options::recursive);
  model::Manifest manifest = model::ModelDirectory(model).manifest();
  manifest.stages["upsampler_32_last_step"] = "upsampler_32_last_step";
  model::write_manifest(model, manifest);
  EXPECT_EQ(open().sizes(), (std::vector<int64_t>{16, 32}));
  EXPECT_CLOSE(generate({"a red heart"}, {1}).pictures, before, kOneLevel);  // a copy of the other net
  io::NamedTensors other = io::SafetensorsFile(last / "model.safetensors").tensors();
  other.at("unet.conv_out.bias") += 100;
  io::write_safetensors(last / "model.safetensors", other);
  EXPECT_FALSE(torch::allclose(generate({"a red heart"}, {1}).pictures, before, 0, 0.05));
}

TEST_F(UnclipTest, WarnsOfALongCaption) {
  const Pictures pictures = generate({"one two three four five six seven eight nine ten"}, {1}, 16);
  ASSERT_EQ(pictures.warnings.size(), 1U);
  EXPECT_THAT(pictures.warnings[0], HasSubstr("longer than the model's 24 tokens"));
  EXPECT_TRUE(generate({"a"}, {1}, 16).warnings.empty());
}

TEST_F(UnclipTest, NamesWhatIsWrongWithAModel) {
  EXPECT_THAT(error_of([&] { generate({"a"}, {1}, 77); }), HasSubstr("16, 32 pixels a side, not 77"));
  EXPECT_THAT(error_of([&] { Unclip(folder_ / "nowhere", torch::kFloat32); }),
              HasSubstr("there is no model"));
  const auto config = folder_ / "model/decoder/config.json";
  const std::string good = io::read_text(config, 1 << 20);
  io::write_file_atomically(config, std::string(R"({"unett": {}})"));
  EXPECT_THAT(error_of([&] { generate({"a"}, {1}); }),
              HasSubstr("unknown setting 'unett', did you mean 'unet'?"));
  std::string wider = good;
  wider.replace(wider.find("\"channels\": 8"), 13, "\"channels\": 12");
  io::write_file_atomically(config, wider);
  EXPECT_THAT(error_of([&] { generate({"a"}, {1}); }), HasSubstr("does not fit the model"));
  io::write_file_atomically(config, good);
  const auto weights = folder_ / "model/decoder/model.safetensors";
  std::filesystem::resize_file(weights, std::filesystem::file_size(weights) - 10);
  EXPECT_THAT(error_of([&] { generate({"a"}, {1}); }), HasSubstr("model.safetensors"));
  std::filesystem::remove(weights);
  EXPECT_THAT(error_of([&] { generate({"a"}, {1}); }), HasSubstr("model.safetensors"));
}

TEST_F(UnclipTest, RefusesAManifestOfAnotherFormatOrOutsideFolders) {
  const auto manifest = folder_ / "model/model.json";
  io::write_file_atomically(manifest, std::string(R"({"format": 2})"));
  EXPECT_THAT(error_of([&] { open(); }), HasSubstr("format 2, expected 1"));
  io::write_file_atomically(manifest,
                            std::string(R"({"format": 1, "stages": {"clip": {"dir": "../../etc"}}})"));
  EXPECT_THAT(error_of([&] { open(); }), HasSubstr("outside of the model directory"));
  io::write_file_atomically(manifest, std::string("{"));
  EXPECT_THAT(error_of([&] { open(); }), HasSubstr("is damaged"));
}

}  // namespace
}  // namespace unclip::pipeline
