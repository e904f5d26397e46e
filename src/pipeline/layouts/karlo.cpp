// Karlo as diffusers stores it: UnCLIPPipeline (text to image) and UnCLIPImageVariationPipeline.
#include <algorithm>
#include <array>

#include "unclip/clip/key_map.h"
#include "unclip/decoder/key_map.h"
#include "unclip/pipeline/folder_licence.h"
#include "unclip/pipeline/layouts/karlo.h"
#include "unclip/pipeline/layouts/layouts.h"
#include "unclip/prior/key_map.h"
#include "unclip/upsampler/key_map.h"

namespace unclip::pipeline {
namespace fs = std::filesystem;
namespace {

constexpr const char* kGenerates = "UnCLIPPipeline";
constexpr const char* kVaries = "UnCLIPImageVariationPipeline";
constexpr const char* kDiffusersStem = "diffusion_pytorch_model";

struct KnownComponent {
  const char* name;
  const char* class_name;
  const char* config;  // its file
  const char* stem;    // of its weights, or none
};
constexpr std::array<KnownComponent, 12> kComponents{{
    {"prior", "PriorTransformer", "config.json", kDiffusersStem},
    {"decoder", "UNet2DConditionModel", "config.json", kDiffusersStem},
    {"text_proj", "UnCLIPTextProjModel", "config.json", kDiffusersStem},
    {"super_res_first", "UNet2DModel", "config.json", kDiffusersStem},
    {"super_res_last", "UNet2DModel", "config.json", kDiffusersStem},
    {"text_encoder", "CLIPTextModelWithProjection", "config.json", "model"},
    {"image_encoder", "CLIPVisionModelWithProjection", "config.json", "model"},
    {"tokenizer", "CLIPTokenizer", "tokenizer_config.json", nullptr},
    {"feature_extractor", "CLIPImageProcessor", "preprocessor_config.json", nullptr},
    {"prior_scheduler", "UnCLIPScheduler", "scheduler_config.json", nullptr},
    {"decoder_scheduler", "UnCLIPScheduler", "scheduler_config.json", nullptr},
    {"super_res_scheduler", "UnCLIPScheduler", "scheduler_config.json", nullptr},
}};

const KnownComponent& component(const std::string& name) {
  return *std::ranges::find(kComponents, name, [](const KnownComponent& c) { return std::string(c.name); });
}

std::vector<std::string> names_of_pipeline(bool varies) {
  std::vector<std::string> names;
  for (const KnownComponent& known : kComponents) {
    const std::string name = known.name;
    const bool only_generates = name.starts_with("prior");
    const bool only_varies = name == "image_encoder" || name == "feature_extractor";
    if (varies ? !only_generates : !only_varies) names.push_back(name);
  }
  return names;
}

/// model_index.json, checked. True for image variations.
bool read_index(const fs::path& folder) {
  ForeignConfig index(folder / "model_index.json");
  const std::string pipeline = index.text("_class_name");
  check(pipeline == kGenerates || pipeline == kVaries, ErrorKind::checkpoint, index.where(),
        ": '_class_name' is ", pipeline, ", expected ", kGenerates, " or ", kVaries);
  const bool varies = pipeline == kVaries;
  for (const std::string& name : names_of_pipeline(varies)) {
    const std::vector<std::string> entry = index.texts(name);
    const std::string expected = component(name).class_name;
    // Repositories of 2022 name the image processor by its old class.
    const bool is_known =
        entry.size() == 2 && (entry[1] == expected || entry[1] == expected + "Fast" ||
                              (name == "feature_extractor" && entry[1] == "CLIPFeatureExtractor"));
    if (!is_known) index.refuse(name, "a " + expected);
  }
  return varies;
}

std::string kind_of(bool varies) {
  return varies ? "Karlo, image variations (diffusers' UnCLIPImageVariationPipeline)"
                : "Karlo, text to image (diffusers' UnCLIPPipeline)";
}

/// Where the weights lie, and under which names.
void add_weights(const fs::path& folder, Model& model) {
  const auto source = [&folder](const std::string& name, const std::string& prefix = "") {
    return WeightsSource{.folder = folder / name, .stem = component(name).stem, .prefix = prefix};
  };
  model.text_encoder->weights = {{source("text_encoder")}, clip::hugging_face_key_map()};
  if (model.image_encoder)
    model.image_encoder->weights = {{source("image_encoder")}, clip::hugging_face_key_map()};
  if (model.prior) model.prior->weights = {{source("prior")}, prior::diffusers_key_map()};
  const decoder::DecoderConfig& config = model.decoder->config;
  model.decoder->weights = {{source("decoder", "unet."), source("text_proj", "text_proj.")},
                            decoder::diffusers_key_map(config.image_tokens, config.unet.context_width)};
  UpsamplerStage& upsampler = model.upsamplers.front();
  upsampler.net.weights = {{source("super_res_first")}, upsampler::diffusers_key_map()};
  upsampler.last_step->weights = {{source("super_res_last")}, upsampler::diffusers_key_map()};
}

bool recognises(const fs::path& folder) { return fs::exists(folder / "model_index.json"); }

Model open(const fs::path& folder, const fs::path& /*vocabulary*/) {
  const bool varies = read_index(folder);
  const auto config = [&folder](const std::string& name) {
    return ForeignConfig(folder / name / component(name).config);
  };
  Model model = karlo::assemble(config, {.prior = !varies, .image_encoder = varies}, folder);
  model.kind = kind_of(varies);
  model.manifest.licence = licence_of(folder);
  for (const std::string& name : names_of_pipeline(varies)) {
    if (component(name).stem != nullptr) model.manifest.stages[name] = name;
  }
  model.text.tokenizer = folder / "tokenizer";
  add_weights(folder, model);
  return model;
}

std::vector<Component> components(const fs::path& folder) {
  std::vector<Component> result;
  for (const std::string& name : names_of_pipeline(read_index(folder))) {
    if (const char* stem = component(name).stem) result.push_back({name, {folder / name, stem}});
  }
  return result;
}

}  // namespace

const Layout kKarloLayout{recognises, open, components};

}  // namespace unclip::pipeline
