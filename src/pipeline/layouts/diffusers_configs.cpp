#include "unclip/pipeline/layouts/diffusers_configs.h"

#include <algorithm>
#include <tuple>

namespace unclip::pipeline::diffusers {
namespace {

constexpr int64_t kExtraPositions = 4;   // of the prior: z_t, timestep, noised z_i, query
constexpr int64_t kLegacyEndOfText = 2;  // of CLIP's first configurations; it means: at the highest id

nn::Activation read_activation(ForeignConfig& c) {
  c.expect("hidden_act", {R"("quick_gelu")", R"("gelu")"});
  return c.text("hidden_act", "quick_gelu") == "gelu" ? nn::Activation::gelu : nn::Activation::quick_gelu;
}

/// What the configurations of both towers share.
template <class Tower>
void read_tower(ForeignConfig& c, Tower& tower, int64_t width, int64_t hidden, int64_t heads) {
  tower.width = c.count("hidden_size", width);
  tower.layers = c.count("num_hidden_layers", 12);
  tower.heads = c.count("num_attention_heads", heads);
  tower.mlp_ratio =
      static_cast<double>(c.count("intermediate_size", hidden)) / static_cast<double>(tower.width);
  tower.norm_eps = c.number("layer_norm_eps", 1e-5);
  c.skip({"architectures", "attention_dropout", "dropout", "dtype", "initializer_factor", "initializer_range",
          "model_type", "torch_dtype", "transformers_version", "bos_token_id", "pad_token_id"});
}

struct BlockTypes {
  std::string plain, attending;
};

/// Which levels attend, by the names of their blocks.
std::vector<bool> read_levels(ForeignConfig& c, const std::string& key, const BlockTypes& types) {
  std::vector<bool> attends;
  for (const std::string& type : c.texts(key)) {
    const bool is_attending = !types.attending.empty() && type == types.attending;
    if (!is_attending && type != types.plain) {
      fail(ErrorKind::config, c.where(), ": '", key, "' has the block type '", type,
           "', which this program does not know; expected ", types.plain,
           types.attending.empty() ? "" : " or " + types.attending);
    }
    attends.push_back(is_attending);
  }
  return attends;
}

void expect_plain_unet_settings(ForeignConfig& c) {
  c.expect("act_fn", {R"("silu")", R"("swish")"});
  c.expect("center_input_sample", {"false"});
  c.expect("time_embedding_type", {R"("positional")"});
  c.expect("flip_sin_to_cos", {"true"});
  c.expect("freq_shift", {"0"});
  c.expect("mid_block_scale_factor", {"1"});
  c.expect("num_class_embeds", {"null"});
  c.skip({"dropout", "downsample_padding"});
}

/// What both UNet classes share. `down` and `up` are the block types that this program has.
nn::UNetConfig read_unet(ForeignConfig& c, const BlockTypes& down, const BlockTypes& up) {
  expect_plain_unet_settings(c);
  const std::vector<int64_t> widths = c.counts("block_out_channels");
  const std::vector<bool> attends = read_levels(c, "down_block_types", down);
  std::vector<bool> attends_up = read_levels(c, "up_block_types", up);
  std::reverse(attends_up.begin(), attends_up.end());
  check(attends.size() == widths.size() && attends_up == attends, ErrorKind::config, c.where(),
        ": 'up_block_types' do not mirror 'down_block_types', or 'block_out_channels' are not as many");
  nn::UNetConfig unet{.size = c.same_count("sample_size"), .channels = widths.front()};
  unet.channel_mult.clear();
  unet.attention_resolutions.clear();
  for (size_t level = 0; level < widths.size(); ++level) {
    unet.channel_mult.push_back(static_cast<double>(widths[level]) / static_cast<double>(widths.front()));
    if (attends[level]) unet.attention_resolutions.push_back(unet.size >> level);
  }
  unet.depth = c.same_count("layers_per_block", 2);
  unet.groups = c.count("norm_num_groups", 32);
  unet.norm_eps = c.number("norm_eps", 1e-5);
  c.expect("resnet_time_scale_shift", {R"("default")", R"("scale_shift")"});
  unet.scale_shift = c.text("resnet_time_scale_shift", "default") == "scale_shift";
  unet.dropout = 0.0;
  c.expect("time_embedding_dim", {"null", std::to_string(unet.embed_width())});
  return unet;
}

}  // namespace

clip::ClipConfig read_text_encoder(ForeignConfig& c) {
  if (c.has("text_config")) {  // a CLIPConfig, which holds both towers'
    ForeignConfig inner = c.part("text_config");
    return read_text_encoder(inner);
  }
  clip::ClipConfig config{.embed_dim = c.count("projection_dim", 512), .activation = read_activation(c)};
  read_tower(c, config.text, 512, 2048, 8);
  config.text.vocab_size = c.count("vocab_size", 49408);
  config.text.context_length = c.count("max_position_embeddings", 77);
  const int64_t end = c.optional_integer("eos_token_id").value_or(49407);
  if (end != kLegacyEndOfText) config.text.end_id = end;
  return config;
}

clip::ClipConfig read_image_encoder(ForeignConfig& c) {
  if (c.has("vision_config")) {
    ForeignConfig inner = c.part("vision_config");
    return read_image_encoder(inner);
  }
  clip::ClipConfig config{.embed_dim = c.count("projection_dim", 512), .activation = read_activation(c)};
  read_tower(c, config.vision, 768, 3072, 12);
  config.vision.image_size = c.count("image_size", 224);
  config.vision.patch_size = c.count("patch_size", 32);
  c.expect("num_channels", {"3"});
  return config;
}

image::Preprocessing read_image_processor(ForeignConfig& c) {
  image::Preprocessing result;
  for (const char* key : {"do_resize", "do_center_crop", "do_rescale", "do_normalize"})
    c.expect(key, {"true"});
  c.expect("rescale_factor", {"0.00392156862745098"});
  c.expect("resample", {"3", "2", "1", "4"});
  const int64_t filter = c.count("resample", 3);
  result.filter = filter == 1   ? image::Filter::lanczos
                  : filter == 2 ? image::Filter::bilinear
                  : filter == 4 ? image::Filter::box
                                : image::Filter::bicubic;
  result.shorter_side = c.same_count("size", 224, "shortest_edge");
  std::tie(result.height, result.width) = c.extent("crop_size", 224);
  const auto mean = c.numbers("image_mean", {0.48145466, 0.4578275, 0.40821073});
  const auto std = c.numbers("image_std", {0.26862954, 0.26130258, 0.27577711});
  for (size_t i = 0; i < 3; ++i) {
    result.normalization.mean[i] = static_cast<float>(mean[i]);
    result.normalization.std[i] = static_cast<float>(std[i]);
  }
  c.skip({"do_convert_rgb", "image_processor_type", "feature_extractor_type"});
  return result;
}

prior::DiffusionPriorConfig read_prior(ForeignConfig& c) {
  prior::DiffusionPriorConfig config;
  config.embed_dim = c.count("embedding_dim", 768);
  const int64_t heads = c.count("num_attention_heads", 32);
  const int64_t width = heads * c.count("attention_head_dim", 64);
  config.transformer = {.width = width,
                        .layers = c.count("num_layers", 20),
                        .heads = heads,
                        .activation = nn::Activation::gelu};
  config.text_source = prior::TextSource::clip;
  config.text_context = c.count("num_embeddings", 77);
  config.text_width = config.embed_dim;
  config.scaling = prior::EmbeddingScaling::standardize;
  config.error_table = false;
  c.expect("additional_embeddings", {std::to_string(kExtraPositions)});
  c.expect("time_embed_act_fn", {R"("silu")"});
  c.expect("norm_in_type", {"null"});
  c.expect("embedding_proj_norm_type", {"null"});
  c.expect("encoder_hid_proj_type", {R"("linear")"});
  c.expect("added_emb_type", {R"("prd")"});
  c.expect("time_embed_dim", {"null", std::to_string(width)});
  for (const char* key : {"embedding_proj_dim", "clip_embed_dim"})
    c.expect(key, {"null", std::to_string(config.embed_dim)});
  c.skip({"dropout"});
  return config;
}

nn::UNetConfig read_conditional_unet(ForeignConfig& c) {
  nn::UNetConfig unet = read_unet(c, {"ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"},
                                  {"ResnetUpsampleBlock2D", "SimpleCrossAttnUpBlock2D"});
  unet.in_channels = c.count("in_channels", 4);
  unet.out_channels = c.count("out_channels", 4);
  unet.context_width = c.same_count("cross_attention_dim", 1280);
  unet.head_channels = c.same_count("attention_head_dim", 8);
  if (!c.has("mid_block_type")) c.refuse("mid_block_type", "UNetMidBlock2DSimpleCrossAttn");
  c.expect("mid_block_type", {R"("UNetMidBlock2DSimpleCrossAttn")"});
  for (const char* key :
       {"num_attention_heads", "encoder_hid_dim", "encoder_hid_dim_type", "addition_embed_type",
        "time_embedding_act_fn", "timestep_post_act", "time_cond_proj_dim", "cross_attention_norm"}) {
    c.expect(key, {"null"});
  }
  for (const char* key : {"only_cross_attention", "resnet_skip_time_act", "class_embeddings_concat"})
    c.expect(key, {"false"});
  c.expect("mid_block_only_cross_attention", {"null", "false"});
  c.expect("resnet_out_scale_factor", {"1"});
  c.expect("conv_in_kernel", {"3"});
  c.expect("conv_out_kernel", {"3"});
  // Settings of blocks or embeddings that a net of these blocks does not have.
  c.skip({"transformer_layers_per_block", "reverse_transformer_layers_per_block", "dual_cross_attention",
          "use_linear_projection", "upcast_attention", "attention_type", "addition_time_embed_dim",
          "addition_embed_type_num_heads", "projection_class_embeddings_input_dim"});
  return unet;
}

nn::UNetConfig read_plain_unet(ForeignConfig& c) {
  nn::UNetConfig unet = read_unet(c, {"ResnetDownsampleBlock2D", ""}, {"ResnetUpsampleBlock2D", ""});
  unet.in_channels = c.count("in_channels", 3);
  unet.out_channels = c.count("out_channels", 3);
  unet.mid_attention = false;
  if (c.flag("add_attention", true)) c.refuse("add_attention", "false");
  c.expect("class_embed_type", {"null"});
  c.expect("mid_block_type", {R"("UNetMidBlock2D")"});
  c.skip({"attention_head_dim", "attn_norm_num_groups", "downsample_type", "upsample_type",
          "num_train_timesteps"});
  return unet;
}

Scheduler read_unclip_scheduler(ForeignConfig& c, int64_t steps) {
  Scheduler result;
  c.expect("beta_schedule", {R"("squaredcos_cap_v2")"});
  c.expect("variance_type", {R"("fixed_small_log")", R"("learned_range")"});
  c.expect("prediction_type", {R"("epsilon")", R"("sample")"});
  diffusion::DiffusionConfig& diffusion = result.diffusion;
  diffusion.schedule.steps = c.count("num_train_timesteps", 1000);
  diffusion.schedule.tables = diffusion::TablePrecision::float32;
  diffusion.parameterization = c.text("prediction_type", "epsilon") == "sample"
                                   ? diffusion::Parameterization::x_0
                                   : diffusion::Parameterization::epsilon;
  diffusion.learn_sigma = c.text("variance_type", "fixed_small_log") == "learned_range";
  diffusion.threshold.bound = c.number("clip_sample_range", 1.0);
  if (c.flag("clip_sample", true)) diffusion.threshold.kind = diffusion::Threshold::clamp;
  result.sampler.timesteps = "linspace" + std::to_string(steps);
  result.sampler.variance =
      diffusion.learn_sigma ? diffusion::DdpmVariance::learned_range : diffusion::DdpmVariance::fixed_small;
  return result;
}

}  // namespace unclip::pipeline::diffusers
