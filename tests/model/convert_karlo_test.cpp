// Karlo from layout to layout: tensors keep their bytes, pictures stay the same.
#include <gmock/gmock.h>

#include "support/error_of.h"
#include "support/temporary_folder.h"
#include "unclip/io/file.h"
#include "unclip/io/weights.h"
#include "unclip/model/convert.h"
#include "unclip/pipeline/unclip.h"

namespace unclip::model {
namespace {

namespace fs = std::filesystem;
using testing::error_of;
using ::testing::HasSubstr;

const fs::path kKarlo = fs::path(UNCLIP_FIXTURES) / "karlo";

class ConvertKarlo : public ::testing::Test {
 protected:
  fs::path convert(const fs::path& from,
                   const std::string& to,
                   TargetLayout layout,
                   std::optional<torch::ScalarType> dtype = {}) const {
    convert_model({.from = from, .to = folder_ / to, .layout = layout, .dtype = dtype, .vocabulary = {}});
    return folder_ / to;
  }
  std::string refusal(const fs::path& from, TargetLayout layout, ErrorKind kind) const {
    return error_of(kind, [&] { convert(from, "refused", layout); });
  }
  testing::TemporaryFolder folder_;
};

/// What a model draws of one caption or picture, its z_i included.
torch::Tensor drawn(const fs::path& folder) {
  pipeline::Unclip model(folder, torch::kFloat32);
  pipeline::SamplingOptions sampling{.steps = "2", .upsampler_steps = {"2"}};
  pipeline::Pictures pictures;
  if (model.model().prior) {
    sampling.prior_steps = "2";
    pictures =
        model.generate({.captions = {"a red cat"}, .seeds = {7}, .sampling = sampling}, *silent_progress());
  } else {
    const torch::Tensor picture = torch::arange(30 * 40 * 3).remainder(251).to(torch::kUInt8);
    pictures = model.vary({.picture = picture.view({30, 40, 3}), .seeds = {7}, .sampling = sampling},
                          *silent_progress());
  }
  return torch::cat({pictures.z_i.flatten(), pictures.pictures.flatten()});
}

io::NamedTensors weights_in(const fs::path& component) {
  const std::string name = component.filename().string();
  const char* stem = name.ends_with("_encoder") ? "model" : "diffusion_pytorch_model";
  io::NamedTensors tensors = io::read_weights(io::find_weights(component, stem));
  std::erase_if(tensors, [](const auto& item) { return item.first.ends_with("position_ids"); });
  return tensors;
}

void expect_same_weights(const fs::path& actual, const fs::path& expected) {
  const io::NamedTensors wanted = weights_in(expected), got = weights_in(actual);
  ASSERT_EQ(got.size(), wanted.size()) << expected;
  for (const auto& [name, tensor] : wanted) {
    ASSERT_TRUE(got.contains(name)) << expected << name;
    EXPECT_EQ(got.at(name).scalar_type(), tensor.scalar_type()) << expected << name;
    EXPECT_TRUE(torch::equal(got.at(name), tensor)) << expected << name;
  }
}

TEST_F(ConvertKarlo, ThereAndBackKeepsEveryByteAndPicture) {
  for (const std::string name : {"generating", "varying"}) {
    const fs::path source = kKarlo / name;
    const fs::path ours = convert(source, name + "-ours", TargetLayout::unclip);
    const fs::path back = convert(ours, name + "-back", TargetLayout::hugging_face);
    for (const char* component : {"prior", "decoder", "text_proj", "super_res_first", "super_res_last",
                                  "text_encoder", "image_encoder"}) {
      EXPECT_EQ(fs::exists(back / component), fs::exists(source / component)) << component;
      if (fs::exists(source / component)) expect_same_weights(back / component, source / component);
    }
    const torch::Tensor expected = drawn(source);
    EXPECT_TRUE(torch::equal(drawn(ours), expected)) << name;
    EXPECT_TRUE(torch::equal(drawn(back), expected)) << name;
    EXPECT_EQ(open_model(ours).manifest.licence, open_model(source).manifest.licence);
    EXPECT_EQ(open_model(ours).text.context_length, open_model(source).text.context_length);
  }
}

TEST_F(ConvertKarlo, KakaosFilesBecomeEitherFolder) {
  const fs::path source = kKarlo / "kakao";
  const fs::path ours = convert(source, "ours", TargetLayout::unclip);
  const fs::path theirs = convert(source, "theirs", TargetLayout::hugging_face);
  const fs::path again = convert(ours, "again", TargetLayout::hugging_face);
  const torch::Tensor expected = drawn(source);
  EXPECT_TRUE(torch::equal(drawn(ours), expected));
  EXPECT_TRUE(torch::equal(drawn(theirs), expected));
  for (const char* component : {"prior", "decoder", "text_proj", "super_res_first", "super_res_last",
                                "text_encoder", "image_encoder"}) {
    expect_same_weights(again / component, theirs / component);
  }
  // An image encoder beside the pipeline that draws from captions lets the same folder vary pictures.
  EXPECT_TRUE(open_model(theirs).image_encoder.has_value());
  // Both read captions by their own rules.
  EXPECT_EQ(load_tokenizer(open_model(ours)).rules(), text::TokenRules::openai);
  EXPECT_EQ(load_tokenizer(open_model(theirs)).rules(), text::TokenRules::hugging_face);
}

TEST_F(ConvertKarlo, ToAnotherTypeButForStatistics) {
  const fs::path ours = convert(kKarlo / "generating", "bf16", TargetLayout::unclip, torch::kBFloat16);
  for (const char* stage : {"prior", "decoder", "upsampler_32", "upsampler_32_last_step", "text_encoder"}) {
    for (const auto& [name, tensor] : io::read_weights(ours / stage / "model.safetensors")) {
      EXPECT_EQ(tensor.scalar_type(), name.starts_with("stats.") ? torch::kFloat32 : torch::kBFloat16)
          << stage << name;
    }
  }
  EXPECT_NO_THROW(drawn(ours));
}

TEST_F(ConvertKarlo, WhatDiffusersCannotSayIsRefused) {
  const fs::path ours = convert(kKarlo / "generating", "ours", TargetLayout::unclip);
  const fs::path file = ours / "decoder" / "config.json";
  std::string config = io::read_text(file, 1 << 20);
  const size_t at = config.find("\"guidance\": 8");
  ASSERT_NE(at, std::string::npos) << config;
  io::write_file_atomically(file, std::string_view(config.replace(at, 13, "\"guidance\": 3")));
  EXPECT_THAT(refusal(ours, TargetLayout::hugging_face, ErrorKind::config),
              HasSubstr("cannot say all of its stage 'decoder'"));
  fs::remove_all(ours / "upsampler_32_last_step");
  EXPECT_THAT(refusal(ours, TargetLayout::hugging_face, ErrorKind::io), HasSubstr("upsampler_32_last_step"));
}

TEST_F(ConvertKarlo, AFailureLeavesNothingBehind) {
  const fs::path broken = folder_ / "broken";
  fs::copy(kKarlo / "generating", broken, fs::copy_options::recursive);
  fs::resize_file(broken / "super_res_last" / "diffusion_pytorch_model.safetensors", 1000);
  EXPECT_THAT(refusal(broken, TargetLayout::unclip, ErrorKind::checkpoint), HasSubstr("super_res_last"));
  fs::remove_all(broken / "decoder");
  EXPECT_THAT(refusal(broken, TargetLayout::unclip, ErrorKind::io), HasSubstr("decoder/config.json"));
  fs::remove_all(broken);
  EXPECT_TRUE(folder_.names().empty());
}

}  // namespace
}  // namespace unclip::model
