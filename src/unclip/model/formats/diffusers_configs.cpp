#include "unclip/model/formats/diffusers_configs.h"

#include <algorithm>

namespace unclip::model::diffusers {
namespace {

constexpr int64_t kExtraPositions = 4;  // of the prior: z_t, timestep, noised z_i, query

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

prior::DiffusionPriorConfig read_prior(ForeignConfig& c) {
  prior::DiffusionPriorConfig config;
  config.embed_dim = c.count("embedding_dim", 768);
  const int64_t heads = c.count("num_attention_heads", 32);
  const int64_t width = heads * c.count("attention_head_dim", 64);
  config.transformer = {.width = width,
                        .layers = c.count("num_layers", 20),
                        .heads = heads,
                        .activation = nn::Activation::gelu};
  config.text_source = prior::PriorText::clip;
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

}  // namespace unclip::model::diffusers
