#include "unclip/model/formats/hugging_face_clip.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "unclip/clip/key_map.h"
#include "unclip/io/file.h"
#include "unclip/model/formats/clip_files.h"
#include "unclip/model/formats/layouts.h"

namespace unclip::model {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kLegacyEndOfText = 2;  // of CLIP's first configurations; it means: at the highest id

/// Pillow's numbers of filters.
constexpr std::array<std::pair<int64_t, image::Filter>, 4> kFilters{{{1, image::Filter::lanczos},
                                                                     {2, image::Filter::bilinear},
                                                                     {3, image::Filter::bicubic},
                                                                     {4, image::Filter::box}}};

nn::Activation read_activation(ForeignConfig& c) {
  c.expect("hidden_act", {R"("quick_gelu")", R"("gelu")"});
  return c.text("hidden_act", "quick_gelu") == "gelu" ? nn::Activation::gelu : nn::Activation::quick_gelu;
}

/// What the configurations of both towers share; the numbers are transformers' defaults.
template <class Tower>
void read_tower(ForeignConfig& c, Tower& tower, int64_t width, int64_t hidden, int64_t heads) {
  tower.width = c.count("hidden_size", width);
  tower.layers = c.count("num_hidden_layers", 12);
  if (tower.layers > kMaxLayers) c.refuse("num_hidden_layers", join_text("at most ", kMaxLayers));
  tower.heads = c.count("num_attention_heads", heads);
  tower.mlp_ratio =
      static_cast<double>(c.count("intermediate_size", hidden)) / static_cast<double>(tower.width);
  tower.norm_eps = c.number("layer_norm_eps", 1e-5);
  c.skip({"architectures", "attention_dropout", "dropout", "dtype", "initializer_factor", "initializer_range",
          "model_type", "torch_dtype", "transformers_version", "bos_token_id", "pad_token_id"});
}

// Opening -------------------------------------------------------------------------------------------

const std::map<std::string, clip::Towers> kModelTypes{{"clip", clip::Towers::both},
                                                      {"clip_text_model", clip::Towers::text},
                                                      {"clip_vision_model", clip::Towers::image}};

bool recognises(const fs::path& path) {
  const fs::path file = folder_of_model(path) / "config.json";
  if (!fs::exists(file) || path.extension() == ".pt") return false;
  ForeignConfig config(file);
  return kModelTypes.contains(config.text("model_type", ""));
}

/// A tower's part of a CLIPConfig. Old files have it twice; what the "_dict" says wins, as in transformers.
ForeignConfig tower_part(ForeignConfig& config, const std::string& name) {
  config.skip({name, name + "_dict"});
  if (config.has(name + "_dict")) return config.part(name + "_dict");
  return config.has(name) ? config.part(name) : ForeignConfig("{}", config.where());
}

/// CLIPConfig: two towers and what they share.
void read_both(ForeignConfig& config, clip::ClipConfig& model) {
  ForeignConfig text = tower_part(config, "text_config"), vision = tower_part(config, "vision_config");
  read_text_config(text, model);
  const nn::Activation activation = model.activation;
  read_vision_config(vision, model);
  check(model.activation == activation, ErrorKind::config, config.where(),
        ": 'hidden_act' differs between the towers, expected the same");
  model.embed_dim = config.count("projection_dim", 512);
}

image::Preprocessing find_preprocessing(const fs::path& folder, int64_t image_size) {
  const std::string name = "preprocessor_config.json";
  for (const fs::path& place :
       {folder, folder / ".." / "feature_extractor", folder / ".." / "image_processor"}) {
    if (!fs::exists(place / name)) continue;
    ForeignConfig config(place / name);
    return read_image_processor(config, image_size);
  }
  return {.shorter_side = image_size, .height = image_size, .width = image_size};
}

Model open(const fs::path& path, const fs::path& vocabulary) {
  const fs::path folder = folder_of_model(path);
  ForeignConfig config(folder / "config.json");
  StoredClip clip;
  clip.weights = weights_of_model(path, "model");
  clip.key_map = clip::hugging_face_key_map();
  clip.towers = kModelTypes.at(config.text("model_type"));
  if (clip.towers == clip::Towers::both) read_both(config, clip.config);
  if (clip.towers == clip::Towers::text) read_text_config(config, clip.config);
  if (clip.towers == clip::Towers::image) read_vision_config(config, clip.config);
  config.skip({"architectures", "initializer_factor", "logit_scale_init_value", "dtype", "torch_dtype",
               "transformers_version", "model_type"});
  Model model{.kind = "CLIP (Hugging Face)"};
  model.unknown_keys = config.unknown_keys();
  if (clip.towers != clip::Towers::text) {
    model.preprocessing = find_preprocessing(folder, clip.config.vision.image_size);
    const image::Normalization& statistics = model.preprocessing.normalization;
    clip.config.vision.mean.assign(statistics.mean.begin(), statistics.mean.end());
    clip.config.vision.std.assign(statistics.std.begin(), statistics.std.end());
  }
  if (clip.towers != clip::Towers::image) {
    model.text.tokenizer =
        find_tokenizer({folder, folder / ".." / "tokenizer"}, vocabulary, clip.config.text.vocab_size);
    model.text.rules = text::TokenRules::hugging_face;
  }
  add_clip(clip, path, model);
  return model;
}

// Writing -------------------------------------------------------------------------------------------

template <class Tower>
Json tower_json(const Tower& tower, const clip::ClipConfig& model) {
  return {{"hidden_size", tower.width},
          {"intermediate_size", std::llround(static_cast<double>(tower.width) * tower.mlp_ratio)},
          {"num_hidden_layers", tower.layers},
          {"num_attention_heads", tower.heads},
          {"hidden_act", enum_name(model.activation)},
          {"layer_norm_eps", tower.norm_eps},
          {"projection_dim", model.embed_dim}};
}

Json text_json(const clip::ClipConfig& model) {
  Json json = tower_json(model.text, model);
  json["model_type"] = "clip_text_model";
  json["vocab_size"] = model.text.vocab_size;
  json["max_position_embeddings"] = model.text.context_length;
  json["eos_token_id"] = model.text.end_id.value_or(kLegacyEndOfText);
  return json;
}

Json vision_json(const clip::ClipConfig& model) {
  Json json = tower_json(model.vision, model);
  json["model_type"] = "clip_vision_model";
  json["image_size"] = model.vision.image_size;
  json["patch_size"] = model.vision.patch_size;
  return json;
}

Json config_json(const clip::ClipConfig& model) {
  return {{"architectures", {"CLIPModel"}},
          {"model_type", "clip"},
          {"projection_dim", model.embed_dim},
          {"text_config", text_json(model)},
          {"vision_config", vision_json(model)}};
}

Json image_processor_json(const image::Preprocessing& p, const clip::VisionConfig& vision) {
  const auto filter =
      std::ranges::find_if(kFilters, [&](const auto& known) { return known.second == p.filter; });
  const bool squash = p.fit == image::Fit::squash;
  Json size =
      squash ? Json{{"height", p.height}, {"width", p.width}} : Json{{"shortest_edge", p.shorter_side}};
  return {{"image_processor_type", "CLIPImageProcessor"},
          {"do_convert_rgb", true},
          {"do_resize", true},
          {"size", size},
          {"resample", filter->first},
          {"do_center_crop", true},
          {"crop_size", {{"height", p.height}, {"width", p.width}}},
          {"do_rescale", true},
          {"rescale_factor", 1.0 / 255},
          {"do_normalize", true},
          {"image_mean", vision.mean},
          {"image_std", vision.std}};
}

Json tokenizer_json(const Model& model) {
  return {{"tokenizer_class", "CLIPTokenizer"},
          {"model_max_length", model.text.context_length},
          {"do_lower_case", true},
          {"bos_token", text::kStartOfText},
          {"eos_token", text::kEndOfText},
          {"pad_token", text::kEndOfText},
          {"unk_token", text::kEndOfText}};
}

}  // namespace

const Layout kHuggingFaceLayout{recognises, open, nullptr};

void read_text_config(ForeignConfig& c, clip::ClipConfig& model) {
  model.activation = read_activation(c);
  model.embed_dim = c.count("projection_dim", 512);
  read_tower(c, model.text, 512, 2048, 8);
  model.text.vocab_size = c.count("vocab_size", 49408);
  model.text.context_length = c.count("max_position_embeddings", 77);
  const int64_t end = c.optional_integer("eos_token_id").value_or(49407);
  if (end != kLegacyEndOfText) model.text.end_id = end;
}

void read_vision_config(ForeignConfig& c, clip::ClipConfig& model) {
  model.activation = read_activation(c);
  model.embed_dim = c.count("projection_dim", 512);
  read_tower(c, model.vision, 768, 3072, 12);
  model.vision.image_size = c.count("image_size", 224);
  model.vision.patch_size = c.count("patch_size", 32);
  c.expect("num_channels", {"3"});
}

image::Preprocessing read_image_processor(ForeignConfig& c, int64_t image_size) {
  for (const char* key : {"do_resize", "do_center_crop", "do_rescale", "do_normalize"})
    c.expect(key, {"true"});
  const double factor = c.number("rescale_factor", 1.0 / 255);
  if (std::abs(factor * 255 - 1) > 1e-6) c.refuse("rescale_factor", "1/255");
  image::Preprocessing result;
  const int64_t filter = c.count("resample", 3);
  const auto found = std::ranges::find_if(kFilters, [&](const auto& known) { return known.first == filter; });
  if (found == kFilters.end()) c.refuse("resample", "1, 2, 3 or 4");
  result.filter = found->second;
  std::tie(result.height, result.width) = c.extent("crop_size", 224);
  if (result.height != image_size || result.width != image_size)
    c.refuse("crop_size", join_text("the model's ", image_size));
  if (c.is_extent("size")) {
    if (c.extent("size", 224) != std::pair(image_size, image_size)) c.refuse("size", join_text(image_size));
    result.fit = image::Fit::squash;
    result.shorter_side = image_size;
  } else {
    result.shorter_side = c.same_count("size", 224, "shortest_edge");
    if (result.shorter_side < image_size) c.refuse("size", join_text("at least the crop's ", image_size));
  }
  const auto mean = c.numbers("image_mean", {0.48145466, 0.4578275, 0.40821073});
  const auto std = c.numbers("image_std", {0.26862954, 0.26130258, 0.27577711});
  for (size_t i = 0; i < 3; ++i) {
    result.normalization.mean[i] = static_cast<float>(mean[i]);
    result.normalization.std[i] = static_cast<float>(std[i]);
  }
  c.skip({"do_convert_rgb", "image_processor_type", "feature_extractor_type"});
  return result;
}

std::string write_text_config(const clip::ClipConfig& model) {
  Json json = text_json(model);
  json["architectures"] = {"CLIPTextModelWithProjection"};
  return json.dump(2) + "\n";
}

std::string write_vision_config(const clip::ClipConfig& model) {
  Json json = vision_json(model);
  json["architectures"] = {"CLIPVisionModelWithProjection"};
  return json.dump(2) + "\n";
}

std::string write_image_processor(const image::Preprocessing& preprocessing,
                                  const clip::VisionConfig& vision) {
  return image_processor_json(preprocessing, vision).dump(2) + "\n";
}

void write_hugging_face_clip(const Model& model, const io::NamedTensors& weights, const fs::path& folder) {
  const clip::ClipConfig& config = required(model, model.clip, "clip").config;
  fs::create_directories(folder);
  io::write_file_atomically(folder / "config.json", config_json(config).dump(2) + "\n");
  io::write_file_atomically(folder / "preprocessor_config.json",
                            write_image_processor(model.preprocessing, config.vision));
  if (!fs::exists(folder / "tokenizer_config.json")) {
    io::write_file_atomically(folder / "tokenizer_config.json", tokenizer_json(model).dump(2) + "\n");
  }
  const fs::path file = folder / "model.safetensors";
  const io::NamedTensors theirs = clip::hugging_face_key_map().map_to_theirs(weights, file.string());
  io::write_safetensors(file, theirs, {{"format", "pt"}});
}

}  // namespace unclip::model
