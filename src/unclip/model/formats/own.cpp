// Our own layout: model.json, one folder per stage with config.json and model.safetensors.
#include <algorithm>

#include "unclip/model/formats/layouts.h"
#include "unclip/model/formats/preprocessing.h"

namespace unclip::model {
namespace fs = std::filesystem;
namespace {

constexpr const char* kUpsampler = "upsampler_";
constexpr const char* kLastStep =
    "_last_step";  // upsampler_256_last_step is the net of that stage's last step

template <class Config>
StoredNetwork<Config> read_stage(const fs::path& folder) {
  return {.config = read_stage_config<Config>(folder), .weights = {.sources = {{.folder = folder}}}};
}

void read_clip(const fs::path& folder, Model& model) {
  set_clip(read_stage<clip::ClipConfig>(folder), model);
  model.preprocessing = read_preprocessing(folder, model.clip->config.vision);
}

/// The towers of a released model, each a stage of its own.
void read_towers(const ModelDirectory& directory, Model& model) {
  if (directory.has("text_encoder")) {
    model.text_encoder = read_stage<clip::ClipConfig>(directory.stage("text_encoder"));
    model.text.context_length = model.text_encoder->config.text.context_length;
  }
  if (directory.has("image_encoder")) {
    const fs::path folder = directory.stage("image_encoder");
    model.image_encoder = read_stage<clip::ClipConfig>(folder);
    model.preprocessing = read_preprocessing(folder, model.image_encoder->config.vision);
  }
}

void read_upsamplers(const ModelDirectory& directory, Model& model) {
  for (const auto& [name, folder] : directory.manifest().stages) {
    if (!name.starts_with(kUpsampler) || name.ends_with(kLastStep)) continue;
    StoredUpsampler stage{name, read_stage<upsampler::UpsamplerConfig>(directory.stage(name))};
    if (directory.has(name + kLastStep))
      stage.last_step = read_stage<upsampler::UpsamplerConfig>(directory.stage(name + kLastStep));
    model.upsamplers.push_back(std::move(stage));
  }
  std::ranges::sort(model.upsamplers, {}, [](const StoredUpsampler& s) { return s.net.config.unet.size; });
}

void read_rules(Model& model) {
  model.rules = model.manifest.sampling;
  const int64_t length = model.manifest.context_length, positions = model.text.context_length;
  if (length == 0) return;
  check(length >= 2 && length <= positions, ErrorKind::config, (model.path / "model.json").string(),
        ": 'context_length' is ", length, ", expected 2 to ", positions, ", the positions of the text tower");
  model.text.context_length = length;
}

bool recognises(const fs::path& folder) { return fs::exists(folder / "model.json"); }

Model open(const fs::path& folder, const fs::path& /*vocabulary*/) {
  const ModelDirectory directory(folder);
  Model model{.kind = "unclip model", .path = folder, .manifest = directory.manifest()};
  model.text.tokenizer = directory.tokenizer();
  if (directory.has("clip")) read_clip(directory.stage("clip"), model);
  read_towers(directory, model);
  read_rules(model);
  if (directory.has("prior")) model.prior = read_stage<prior::DiffusionPriorConfig>(directory.stage("prior"));
  if (directory.has("ar_prior"))
    model.ar_prior = read_stage<prior::AutoregressivePriorConfig>(directory.stage("ar_prior"));
  if (directory.has("decoder"))
    model.decoder = read_stage<decoder::DecoderConfig>(directory.stage("decoder"));
  if (directory.has("decoder_inpaint"))
    model.decoder_inpaint = read_stage<decoder::DecoderConfig>(directory.stage("decoder_inpaint"));
  read_upsamplers(directory, model);
  return model;
}

std::vector<Component> components(const fs::path& folder) {
  const ModelDirectory directory(folder);
  std::vector<Component> result;
  for (const auto& [name, where] : directory.manifest().stages)
    result.push_back({name, {.folder = directory.stage(name)}});
  return result;
}

}  // namespace

const Layout kOwnLayout{recognises, open, components};

}  // namespace unclip::model
