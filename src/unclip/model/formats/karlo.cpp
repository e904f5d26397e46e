// Karlo as diffusers stores it: UnCLIPPipeline (text to image) and UnCLIPImageVariationPipeline.
#include "unclip/model/formats/karlo.h"
#include "unclip/clip/key_map.h"
#include "unclip/decoder/key_map.h"
#include "unclip/model/folder_licence.h"
#include "unclip/model/formats/karlo_components.h"
#include "unclip/model/formats/layouts.h"
#include "unclip/prior/key_map.h"
#include "unclip/upsampler/key_map.h"

namespace unclip::model {
namespace fs = std::filesystem;
namespace {

using karlo::component;
using karlo::names_of_pipeline;

/// model_index.json, checked. True for image variations.
bool read_index(const fs::path& folder) {
  ForeignConfig index(folder / karlo::kIndex);
  const std::string pipeline = index.text("_class_name");
  check(pipeline == karlo::kGenerates || pipeline == karlo::kVaries, ErrorKind::checkpoint, index.where(),
        ": '_class_name' is ", pipeline, ", expected ", karlo::kGenerates, " or ", karlo::kVaries);
  const bool varies = pipeline == karlo::kVaries;
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

/// Those, and an image encoder that lies beside a pipeline which does not ask for it: so `vary` works, too.
std::vector<std::string> names_in(const fs::path& folder) {
  const bool varies = read_index(folder);
  std::vector<std::string> names = names_of_pipeline(varies);
  if (!varies && fs::exists(folder / "image_encoder" / "config.json")) names.push_back("image_encoder");
  return names;
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
  StoredUpsampler& upsampler = model.upsamplers.front();
  upsampler.net.weights = {{source("super_res_first")}, upsampler::diffusers_key_map()};
  upsampler.last_step->weights = {{source("super_res_last")}, upsampler::diffusers_key_map()};
}

bool recognises(const fs::path& folder) { return fs::exists(folder / karlo::kIndex); }

Model open(const fs::path& folder, const fs::path& /*vocabulary*/) {
  const bool varies = read_index(folder);
  const auto config = [&folder](const std::string& name) {
    return ForeignConfig(folder / name / component(name).config);
  };
  const std::vector<std::string> names = names_in(folder);
  const bool sees = std::ranges::find(names, "image_encoder") != names.end();
  Model model = karlo::assemble(config, {.prior = !varies, .image_encoder = sees}, folder);
  model.kind = kind_of(varies);
  model.manifest.licence = licence_of(folder);
  for (const std::string& name : names) {
    if (component(name).stem != nullptr) model.manifest.stages[name] = name;
  }
  model.text.tokenizer = folder / "tokenizer";
  add_weights(folder, model);
  return model;
}

std::vector<Component> components(const fs::path& folder) {
  std::vector<Component> result;
  for (const std::string& name : names_in(folder)) {
    if (const char* stem = component(name).stem) result.push_back({name, {folder / name, stem}});
  }
  return result;
}

}  // namespace

const Layout kKarloLayout{recognises, open, components};

}  // namespace unclip::model
