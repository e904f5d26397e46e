#include "unclip/model/formats/diffusers_write.h"

#include <nlohmann/json.hpp>

namespace unclip::model::diffusers {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kVersion = "0.36.0";  // of diffusers, whose files these are like

Json begin(const char* class_name) { return {{"_class_name", class_name}, {"_diffusers_version", kVersion}}; }

std::string text(const Json& json) { return json.dump(2) + "\n"; }

/// Block types of the down path by which levels attend, or of the up path, which begins at the lowest level.
std::vector<std::string> block_types(const nn::UNetConfig& unet, bool up) {
  std::vector<std::string> types;
  for (size_t i = 0; i < unet.channel_mult.size(); ++i) {
    const bool attends = unet.attends(up ? unet.channel_mult.size() - 1 - i : i);
    types.push_back(
        std::string(attends ? "SimpleCrossAttn" : "Resnet") +
        (up ? (attends ? "UpBlock2D" : "UpsampleBlock2D") : (attends ? "DownBlock2D" : "DownsampleBlock2D")));
  }
  return types;
}

/// What both UNet classes share.
Json unet_json(const nn::UNetConfig& unet, const char* class_name) {
  Json json = begin(class_name);
  std::vector<int64_t> widths;
  for (size_t level = 0; level < unet.channel_mult.size(); ++level)
    widths.push_back(unet.level_channels(level));
  json["act_fn"] = "silu";
  json["block_out_channels"] = widths;
  json["center_input_sample"] = false;
  json["down_block_types"] = block_types(unet, false);
  json["up_block_types"] = block_types(unet, true);
  json["flip_sin_to_cos"] = true;
  json["freq_shift"] = 0;
  json["in_channels"] = unet.in_channels;
  json["out_channels"] = unet.out_channels;
  json["layers_per_block"] = unet.depth;
  json["mid_block_scale_factor"] = 1;
  json["norm_eps"] = unet.norm_eps;
  json["norm_num_groups"] = unet.groups;
  json["resnet_time_scale_shift"] = unet.scale_shift ? "scale_shift" : "default";
  json["sample_size"] = unet.size;
  json["time_embedding_type"] = "positional";
  return json;
}

}  // namespace

std::string write_prior(const prior::DiffusionPriorConfig& config) {
  Json json = begin("PriorTransformer");
  json["num_attention_heads"] = config.transformer.heads;
  json["attention_head_dim"] = config.transformer.width / config.transformer.heads;
  json["num_layers"] = config.transformer.layers;
  json["embedding_dim"] = config.embed_dim;
  json["num_embeddings"] = config.text_context;
  json["additional_embeddings"] = 4;
  json["dropout"] = 0.0;
  return text(json);
}

std::string write_conditional_unet(const nn::UNetConfig& unet) {
  Json json = unet_json(unet, "UNet2DConditionModel");
  json["attention_head_dim"] = unet.head_channels;
  json["class_embed_type"] = "identity";
  json["cross_attention_dim"] = unet.context_width;
  json["mid_block_type"] = "UNetMidBlock2DSimpleCrossAttn";
  return text(json);
}

std::string write_plain_unet(const nn::UNetConfig& unet) {
  Json json = unet_json(unet, "UNet2DModel");
  json["add_attention"] = false;
  return text(json);
}

std::string write_text_projection(const decoder::DecoderConfig& config) {
  Json json = begin("UnCLIPTextProjModel");
  json["clip_extra_context_tokens"] = config.image_tokens;
  json["clip_embeddings_dim"] = config.embed_dim;
  json["time_embed_dim"] = config.unet.embed_width();
  json["cross_attention_dim"] = config.unet.context_width;
  return text(json);
}

std::string write_unclip_scheduler(const diffusion::DiffusionConfig& diffusion) {
  Json json = begin("UnCLIPScheduler");
  json["num_train_timesteps"] = diffusion.schedule.steps;
  json["beta_schedule"] = "squaredcos_cap_v2";
  json["variance_type"] = diffusion.learn_sigma ? "learned_range" : "fixed_small_log";
  json["prediction_type"] =
      diffusion.parameterization == diffusion::Parameterization::x_0 ? "sample" : "epsilon";
  json["clip_sample"] = diffusion.threshold.kind == diffusion::Threshold::clamp;
  json["clip_sample_range"] = diffusion.threshold.bound;
  return text(json);
}

}  // namespace unclip::model::diffusers
