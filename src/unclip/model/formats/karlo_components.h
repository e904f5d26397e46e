// What a Karlo folder of diffusers consists of.
#pragma once
#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace unclip::model::karlo {

inline constexpr const char* kGenerates = "UnCLIPPipeline";
inline constexpr const char* kVaries = "UnCLIPImageVariationPipeline";
inline constexpr const char* kIndex = "model_index.json";

struct KnownComponent {
  const char* name;
  const char* library;
  const char* class_name;
  const char* config;  // its file
  const char* stem;    // of its weights, or none
};
inline constexpr const char* kDiffusersStem = "diffusion_pytorch_model";
inline constexpr std::array<KnownComponent, 12> kComponents{{
    {"prior", "diffusers", "PriorTransformer", "config.json", kDiffusersStem},
    {"decoder", "diffusers", "UNet2DConditionModel", "config.json", kDiffusersStem},
    {"text_proj", "unclip", "UnCLIPTextProjModel", "config.json", kDiffusersStem},
    {"super_res_first", "diffusers", "UNet2DModel", "config.json", kDiffusersStem},
    {"super_res_last", "diffusers", "UNet2DModel", "config.json", kDiffusersStem},
    {"text_encoder", "transformers", "CLIPTextModelWithProjection", "config.json", "model"},
    {"image_encoder", "transformers", "CLIPVisionModelWithProjection", "config.json", "model"},
    {"tokenizer", "transformers", "CLIPTokenizer", "tokenizer_config.json", nullptr},
    {"feature_extractor", "transformers", "CLIPImageProcessor", "preprocessor_config.json", nullptr},
    {"prior_scheduler", "diffusers", "UnCLIPScheduler", "scheduler_config.json", nullptr},
    {"decoder_scheduler", "diffusers", "UnCLIPScheduler", "scheduler_config.json", nullptr},
    {"super_res_scheduler", "diffusers", "UnCLIPScheduler", "scheduler_config.json", nullptr},
}};

inline const KnownComponent& component(const std::string& name) {
  return *std::ranges::find(kComponents, name, [](const KnownComponent& c) { return std::string(c.name); });
}

/// Those that the index of a pipeline names.
inline std::vector<std::string> names_of_pipeline(bool varies) {
  std::vector<std::string> names;
  for (const KnownComponent& known : kComponents) {
    const std::string name = known.name;
    const bool only_generates = name.starts_with("prior");
    const bool only_varies = name == "image_encoder" || name == "feature_extractor";
    if (varies ? !only_generates : !only_varies) names.push_back(name);
  }
  return names;
}

}  // namespace unclip::model::karlo
