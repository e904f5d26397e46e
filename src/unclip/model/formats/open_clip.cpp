// CLIP as OpenCLIP stores it: open_clip_config.json beside weights under OpenAI's names.
#include "unclip/clip/key_map.h"
#include "unclip/io/weights.h"
#include "unclip/model/formats/clip_files.h"
#include "unclip/model/formats/layouts.h"

namespace unclip::model {
namespace fs = std::filesystem;
namespace {

constexpr const char* kConfigFile = "open_clip_config.json";

bool recognises(const fs::path& path) { return fs::exists(folder_of_model(path) / kConfigFile); }

/// Error unless the kinds of layers that a tower may have are those of CLIP; the values are OpenCLIP's
/// defaults.
void expect_plain_tower(ForeignConfig& c) {
  for (const char* key : {"ls_init_value", "norm_kwargs", "act_kwargs", "block_type", "hf_model_name",
                          "hf_tokenizer_name", "timm_model_name", "tokenizer_mode"}) {
    c.expect(key, {"null", R"("")", R"("default")"});
  }
  for (const char* key :
       {"qk_norm", "scaled_cosine_attn", "scale_heads", "scale_attn_inner", "scale_attn", "scale_fc",
        "final_ln_after_pool", "attentional_pool", "no_ln_pre", "no_causal_mask", "embed_cls", "proj_bias"}) {
    c.expect(key, {"false"});
  }
  c.expect("pos_embed_type", {R"("learnable")"});
  c.expect("proj_type", {R"("linear")"});
}

template <class Tower>
void read_tower(ForeignConfig& c, Tower& tower, int64_t width) {
  tower.width = c.count("width", width);
  tower.layers = c.count("layers", 12);
  if (tower.layers > kMaxLayers) c.refuse("layers", join_text("at most ", kMaxLayers));
  tower.mlp_ratio = c.number("mlp_ratio", 4.0);
  if (!(tower.mlp_ratio > 0 && tower.mlp_ratio < 100)) c.refuse("mlp_ratio", "a ratio between 0 and 100");
  // OpenCLIP cuts a fraction off.
  tower.mlp_ratio =
      std::floor(static_cast<double>(tower.width) * tower.mlp_ratio) / static_cast<double>(tower.width);
  expect_plain_tower(c);
}

void read_model(ForeignConfig& c, clip::ClipConfig& model) {
  c.expect("custom_text", {"false"});
  model.embed_dim = c.count("embed_dim");
  model.activation = c.flag("quick_gelu", false) ? nn::Activation::quick_gelu : nn::Activation::gelu;
  ForeignConfig vision = c.part("vision_cfg"), text = c.part("text_cfg");
  read_tower(vision, model.vision, 768);
  const int64_t head_width = vision.count("head_width", 64);
  model.vision.heads = std::max<int64_t>(1, model.vision.width / head_width);
  model.vision.image_size = vision.same_count("image_size", 224);
  model.vision.patch_size = vision.same_count("patch_size", 16);
  vision.expect("pool_type", {R"("tok")"});
  read_tower(text, model.text, 512);
  model.text.heads = text.count("heads", 8);
  model.text.context_length = text.count("context_length", 77);
  model.text.vocab_size = text.count("vocab_size", 49408);
  text.expect("pool_type", {R"("argmax")", R"("eos")"});
  if (text.text("pool_type", "argmax") == "eos")
    model.text.end_id = text.optional_integer("eos_id").value_or(2);
}

/// PreprocessCfg; torchvision rounds the crop.
image::Preprocessing read_preprocess_cfg(ForeignConfig& c, clip::VisionConfig& vision) {
  image::Preprocessing result;
  c.expect("mode", {R"("RGB")"});
  c.expect("resize_mode", {R"("shortest")", R"("squash")"});
  c.expect("interpolation", {R"("bicubic")", R"("bilinear")", R"("random")"});
  result.fit = c.text("resize_mode", "shortest") == "squash" ? image::Fit::squash : image::Fit::crop_rounded;
  if (c.text("interpolation", "bicubic") == "bilinear") result.filter = image::Filter::bilinear;
  // `size` is set to the network's own by OpenCLIP, whatever the file says.
  result.shorter_side = result.height = result.width = vision.image_size;
  vision.mean = c.numbers("mean", vision.mean);
  vision.std = c.numbers("std", vision.std);
  for (size_t i = 0; i < 3; ++i) {
    result.normalization.mean[i] = static_cast<float>(vision.mean[i]);
    result.normalization.std[i] = static_cast<float>(vision.std[i]);
  }
  return result;
}

/// "open_clip_model.safetensors" in newer folders, "open_clip_pytorch_model.bin" in older ones.
fs::path find_weights(const fs::path& path) {
  if (!fs::is_directory(path)) return path;
  for (const char* name : {"open_clip_model.safetensors", "open_clip_pytorch_model.safetensors",
                           "open_clip_pytorch_model.bin"}) {
    if (fs::exists(path / name)) return path / name;
  }
  return io::find_weights(path, "open_clip_model");
}

Model open(const fs::path& path, const fs::path& vocabulary) {
  const fs::path folder = folder_of_model(path);
  ForeignConfig config(folder / kConfigFile);
  ForeignConfig sizes = config.part("model_cfg");
  StoredClip clip;
  clip.weights = find_weights(path);
  clip.key_map = clip::openai_key_map();
  read_model(sizes, clip.config);
  ForeignConfig pictures =
      config.has("preprocess_cfg") ? config.part("preprocess_cfg") : ForeignConfig("{}", config.where());
  Model model{.kind = "CLIP (OpenCLIP)"};
  model.preprocessing = read_preprocess_cfg(pictures, clip.config.vision);
  model.text.tokenizer = find_tokenizer({folder}, vocabulary, clip.config.text.vocab_size);
  model.text.rules = text::TokenRules::openai;
  model.unknown_keys = sizes.unknown_keys();
  add_clip(clip, path, model);
  return model;
}

}  // namespace

const Layout kOpenClipLayout{recognises, open, nullptr};

}  // namespace unclip::model
