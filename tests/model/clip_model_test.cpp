// CLIPs in every layout that they are released in, against what their own libraries compute
// (tools/fixtures/make_clip_fixtures.py).
#include "unclip/model/model.h"

#include <gmock/gmock.h>

#include <fstream>

#include "support/close.h"
#include "support/error_of.h"
#include "support/temporary_folder.h"
#include "unclip/image/decode.h"
#include "unclip/io/file.h"
#include "unclip/io/weights.h"
#include "unclip/model/convert.h"
#include "unclip/model/weights.h"
#include "unclip/pipeline/clip_encoder.h"

namespace unclip::model {
namespace {

namespace fs = std::filesystem;
using testing::error_of;
using ::testing::HasSubstr;
using testing::TemporaryFolder;

const fs::path kReleased = fs::path(UNCLIP_FIXTURES) / "clip" / "released";
const fs::path kVocabulary = fs::path(UNCLIP_SOURCE_DIR) / "assets" / "clip-tokenizer";

std::vector<std::string> captions() {
  std::ifstream file(kReleased / "captions.txt");
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

pipeline::ClipEncoder encoder(Model model) {
  return pipeline::ClipEncoder(
      std::make_shared<pipeline::Networks>(std::move(model), pipeline::NetworksOptions{}));
}

std::vector<fs::path> pictures() {
  return {kReleased / "pictures" / "0.png", kReleased / "pictures" / "1.png",
          kReleased / "pictures" / "2.png"};
}

/// Where the parts of a case lie.
struct Case {
  const char* name;
  const char* text = "";  // below the case's folder
  const char* image = "";
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class ReleasedClip : public ::testing::TestWithParam<Case> {
 protected:
  fs::path folder() const { return kReleased / GetParam().name; }
  Model text_model() const { return open_model(folder() / GetParam().text, kVocabulary); }
  Model image_model() const { return open_model(folder() / GetParam().image, kVocabulary); }
  torch::Tensor expected(const std::string& name) const {
    return io::SafetensorsFile(folder() / "expected.safetensors").tensor(name);
  }
};

TEST_P(ReleasedClip, ReadsCaptionsAsItsLibraryDoes) {
  const Model model = text_model();
  const text::Tokens tokens = load_tokenizer(model).tokenize(captions(), model.text.context_length);
  EXPECT_TRUE(torch::equal(tokens.ids, expected("input_ids"))) << tokens.ids << expected("input_ids");
}

TEST_P(ReleasedClip, PreparesPicturesAsPillowDoesBitForBit) {
  const Model model = image_model();
  const torch::Tensor values = expected("pixel_values");
  for (int64_t k = 0; k < values.size(0); ++k) {
    const torch::Tensor pixels = expected("pixels_" + std::to_string(k));
    EXPECT_TRUE(torch::equal(image::fit_picture(pixels, model.preprocessing),
                             expected("fitted_" + std::to_string(k))))
        << k;
    EXPECT_CLOSE(image::preprocess(pixels, model.preprocessing)[0], values[k],
                 {.absolute = 1e-6, .relative = 1e-6});
  }
}

TEST_P(ReleasedClip, EmbedsAsItsLibraryDoes) {
  const std::shared_ptr<Progress> progress = silent_progress();
  const pipeline::ClipEncoder texts = encoder(text_model()), images = encoder(image_model());
  std::vector<std::string> warnings;
  EXPECT_CLOSE(texts.embed_captions(captions(), 3, *progress, &warnings), expected("text_embeds"));
  EXPECT_EQ(warnings.size(), 2U);  // two captions are longer than the context
  EXPECT_CLOSE(images.embed_files(pictures(), 2, *progress), expected("image_embeds"));
}

INSTANTIATE_TEST_SUITE_P(Layouts,
                         ReleasedClip,
                         ::testing::Values(Case{"hf_quick_gelu"},
                                           Case{"hf_gelu_bin"},
                                           Case{"hf_sharded_f16"},
                                           Case{"hf_towers", "text_encoder", "image_encoder"},
                                           Case{"open_clip_gelu"},
                                           Case{"open_clip_quick_squash"},
                                           Case{"openai", "tiny.pt", "tiny.pt"}),
                         [](const auto& test) { return test.param.name; });

TEST(OpenClip, NamesWhatAFolderIs) {
  const auto kind = [](const char* name) { return open_model(kReleased / name, kVocabulary).kind; };
  EXPECT_EQ(kind("hf_quick_gelu"), "CLIP (Hugging Face)");
  EXPECT_EQ(kind("open_clip_gelu"), "CLIP (OpenCLIP)");
  EXPECT_EQ(kind("open_clip_gelu/open_clip_model.safetensors"), "CLIP (OpenCLIP)");
  EXPECT_EQ(kind("openai/tiny.pt"), "CLIP (OpenAI)");
  const auto refusal = [&](const char* name) { return error_of(ErrorKind::io, [&] { kind(name); }); };
  EXPECT_THAT(refusal("pictures"), HasSubstr("is no CLIP model"));
  EXPECT_THAT(refusal("nothing"), HasSubstr("there is no model"));
}

TEST(OpenClip, OneTowerSaysWhatItLacks) {
  const pipeline::ClipEncoder text =
      encoder(open_model(kReleased / "hf_towers" / "text_encoder", kVocabulary));
  const std::string message =
      error_of(ErrorKind::checkpoint, [&] { text.embed_files(pictures(), 1, *silent_progress()); });
  EXPECT_THAT(message, HasSubstr("text tower only"));
}

// Wrong input ---------------------------------------------------------------------------------------

/// A copy of a case, to be damaged.
class DamagedClip : public ::testing::Test {
 protected:
  fs::path copy(const char* name) const {
    fs::copy(kReleased / name, folder_ / name, fs::copy_options::recursive);
    return folder_ / name;
  }
  static void replace(const fs::path& file, const std::string& from, const std::string& to) {
    std::string text = io::read_text(file, 1 << 20);
    const size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    io::write_file_atomically(file, std::string_view(text.replace(at, from.size(), to)));
  }
  /// What the model in `path` is refused for.
  static std::string complaint(const fs::path& path, ErrorKind kind) {
    return error_of(kind, [&] { read_clip_tensors(open_model(path, kVocabulary)); });
  }
  TemporaryFolder folder_;
};

TEST_F(DamagedClip, ConfigurationsAreRefusedByKey) {
  const std::pair<std::pair<const char*, const char*>, const char*> cases[] = {
      {{R"("hidden_act": "quick_gelu")", R"("hidden_act": "swish")"}, "'hidden_act' is \"swish\""},
      {{R"("hidden_size": 24)", R"("hidden_size": "wide")"}, "'hidden_size' is \"wide\""},
      {{R"("hidden_size": 24)", R"("hidden_size": 999998)"}, "has shape"},
      {{R"("num_hidden_layers": 2)", R"("num_hidden_layers": 900000)"}, "'num_hidden_layers' is 900000"},
      {{R"("num_attention_heads": 2)", R"("num_attention_heads": 7)"}, "heads 7"},
      {{R"("num_channels": 3)", R"("num_channels": 1)"}, "'num_channels' is 1"},
      {{R"("model_type": "clip",)", R"("model_type": )"}, "is damaged"}};
  for (const auto& [change, reason] : cases) {
    fs::remove_all(folder_ / "hf_quick_gelu");
    const fs::path model = copy("hf_quick_gelu");
    replace(model / "config.json", change.first, change.second);
    const auto kind = std::string(reason) == "has shape" ? ErrorKind::checkpoint : ErrorKind::config;
    EXPECT_THAT(complaint(model, kind), HasSubstr(reason));
  }
}

TEST_F(DamagedClip, WeightsThatAreNotTheConfigurationsAreRefusedByKey) {
  const fs::path model = copy("hf_quick_gelu");
  io::NamedTensors tensors = io::read_weights(kReleased / "hf_quick_gelu" / "model.safetensors");
  const auto refusal = [&](const io::NamedTensors& changed) {
    io::write_safetensors(model / "model.safetensors", changed);
    return complaint(model, ErrorKind::checkpoint);
  };
  io::NamedTensors changed = tensors;
  changed.erase("text_projection.weight");
  EXPECT_THAT(refusal(changed), HasSubstr("missing 'text_projection.weight'"));
  changed = tensors;
  changed["extra"] = torch::ones({1});
  EXPECT_THAT(refusal(changed), HasSubstr("unexpected 'extra'"));
  changed = tensors;
  changed["logit_scale"] = torch::ones({2});
  EXPECT_THAT(refusal(changed), HasSubstr("'logit_scale' has shape [2]"));
  changed = tensors;
  changed["logit_scale"] = torch::tensor(3);
  EXPECT_THAT(refusal(changed), HasSubstr("'logit_scale' has type Long"));
  changed = tensors;
  changed["text_model.embeddings.position_ids"] = torch::arange(14).unsqueeze(0);
  io::write_safetensors(model / "model.safetensors", changed);
  EXPECT_NO_THROW(read_clip_tensors(open_model(model, kVocabulary)));
}

TEST_F(DamagedClip, OtherKindsOfOpenClipAreRefused) {
  const std::pair<std::pair<const char*, const char*>, const char*> cases[] = {
      {{R"("width": 24)", R"("timm_model_name": "convnext", "width": 24)"},
       "'timm_model_name' is \"convnext\""},
      {{R"("heads": 5)", R"("heads": 5, "pool_type": "last")"}, "'pool_type' is \"last\""},
      {{R"("resize_mode": "shortest")", R"("resize_mode": "longest")"}, "'resize_mode' is \"longest\""},
      {{R"("model_cfg")", R"("model")"}, "'model_cfg' is missing"}};
  for (const auto& [change, reason] : cases) {
    fs::remove_all(folder_ / "open_clip_gelu");
    const fs::path model = copy("open_clip_gelu");
    replace(model / "open_clip_config.json", change.first, change.second);
    EXPECT_THAT(complaint(model, ErrorKind::config), HasSubstr(reason));
  }
}

TEST_F(DamagedClip, ATokenizerMustFitTheModel) {
  const fs::path model = copy("hf_quick_gelu");
  fs::remove(model / "vocab.json");
  EXPECT_THAT(complaint(model, ErrorKind::io), HasSubstr("has no vocab.json"));
}

// Conversion ----------------------------------------------------------------------------------------

void expect_same_bytes(const io::NamedTensors& actual, const io::NamedTensors& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (const auto& [name, tensor] : expected) {
    ASSERT_TRUE(actual.contains(name)) << name;
    EXPECT_EQ(actual.at(name).scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(torch::equal(actual.at(name), tensor)) << name;
  }
}

class Convert : public ::testing::Test {
 protected:
  fs::path convert(const fs::path& from,
                   const std::string& to,
                   TargetLayout layout,
                   std::optional<torch::ScalarType> dtype = {}) const {
    convert_model(
        {.from = from, .to = folder_ / to, .layout = layout, .dtype = dtype, .vocabulary = kVocabulary});
    return folder_ / to;
  }
  static torch::Tensor embeds(const fs::path& model) {
    const pipeline::ClipEncoder clip = encoder(open_model(model, kVocabulary));
    return torch::cat({clip.embed_captions(captions(), 8, *silent_progress()),
                       clip.embed_files(pictures(), 8, *silent_progress())});
  }
  TemporaryFolder folder_;
};

TEST_F(Convert, ThereAndBackKeepsEveryByte) {
  for (const char* name : {"hf_quick_gelu", "hf_gelu_bin", "hf_sharded_f16"}) {
    const fs::path ours = convert(kReleased / name, std::string(name) + "-ours", TargetLayout::unclip);
    const fs::path back = convert(ours, std::string(name) + "-back", TargetLayout::hugging_face);
    io::NamedTensors source = io::read_weights(io::find_weights(kReleased / name, "model"));
    expect_same_bytes(io::read_weights(back / "model.safetensors"), source);
    EXPECT_EQ(config_to_json(open_model(back, kVocabulary).clip->config),
              config_to_json(open_model(kReleased / name, kVocabulary).clip->config));
    const torch::Tensor expected = embeds(kReleased / name);
    EXPECT_TRUE(torch::equal(embeds(ours), expected)) << name;
    EXPECT_TRUE(torch::equal(embeds(back), expected)) << name;
  }
}

TEST_F(Convert, OpenAisAndOpenClipsModelsKeepTheirTokenizerAndPreparation) {
  for (const char* name : {"openai/tiny.pt", "open_clip_gelu", "open_clip_quick_squash"}) {
    const std::string to = fs::path(name).filename().string() + "-ours";
    EXPECT_TRUE(
        torch::equal(embeds(convert(kReleased / name, to, TargetLayout::unclip)), embeds(kReleased / name)))
        << name;
  }
}

TEST_F(Convert, OpenClipAsHuggingFaceSeesTheSamePictures) {
  const fs::path hf = convert(kReleased / "open_clip_gelu", "hf", TargetLayout::hugging_face);
  const pipeline::ClipEncoder a = encoder(open_model(kReleased / "open_clip_gelu", kVocabulary));
  const pipeline::ClipEncoder b = encoder(open_model(hf, kVocabulary));
  const std::vector<fs::path> square{pictures()[1]};  // others are cropped at another pixel there
  EXPECT_TRUE(torch::equal(a.embed_files(square, 1, *silent_progress()),
                           b.embed_files(square, 1, *silent_progress())));
}

TEST_F(Convert, ToAnotherType) {
  const fs::path ours = convert(kReleased / "hf_quick_gelu", "bf16", TargetLayout::unclip, torch::kBFloat16);
  for (const auto& [name, tensor] : io::read_weights(ours / "clip" / "model.safetensors")) {
    EXPECT_EQ(tensor.scalar_type(), torch::kBFloat16) << name;
  }
}

TEST_F(Convert, LeavesNothingBehindWhenItFails) {
  const auto message = [&](const fs::path& from, ErrorKind kind) {
    return error_of(kind, [&] { convert(from, "out", TargetLayout::unclip); });
  };
  EXPECT_THAT(message(kReleased / "pictures", ErrorKind::io), HasSubstr("is no CLIP model"));
  EXPECT_THAT(message(kReleased / "hf_towers" / "text_encoder", ErrorKind::config),
              HasSubstr("holds one tower"));
  EXPECT_TRUE(folder_.names().empty());
  fs::create_directory(folder_ / "out");
  EXPECT_THAT(message(kReleased / "hf_quick_gelu", ErrorKind::io), HasSubstr("exists already"));
}

}  // namespace
}  // namespace unclip::model
