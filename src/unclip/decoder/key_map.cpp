#include "unclip/decoder/key_map.h"

#include "unclip/nn/adm_key_map.h"
#include "unclip/nn/unet_key_map.h"

namespace unclip::decoder {

io::KeyMap diffusers_key_map(int64_t image_tokens, int64_t context_width) {
  io::KeyMap map{.rules = nn::diffusers_unet_rules("unet.")};
  const std::string p = "text_proj.";
  for (const io::KeyRule& rule : std::vector<io::KeyRule>{
           {"null_z_i", {p + "learned_classifier_free_guidance_embeddings"}},
           {"text_embed.{p}", {p + "embedding_proj.{p}"}},
           {"z_i_embed.{p}", {p + "clip_image_embeddings_project_to_time_embeddings.{p}"}},
           {"z_i_tokens.{p}",
            {p + "clip_extra_context_tokens_proj.{p}"},
            {io::regroup_rows(context_width, image_tokens)}},
           {"text_proj.{p}", {p + "encoder_hidden_states_proj.{p}"}},
           {"text_norm.{p}", {p + "text_encoder_hidden_states_norm.{p}"}}}) {
    map.rules.push_back(rule);
  }
  return map;
}

io::KeyMap kakao_key_map(const DecoderConfig& config) {
  const std::string p = "model.";
  io::KeyMap map{.rules = {{"null_z_i", {p + "cf_param"}},
                           {"text_embed.{p}", {p + "text_feat_proj.{p}"}},
                           {"z_i_embed.{p}", {p + "clip_emb.{p}"}},
                           {"z_i_tokens.{p}",
                            {p + "clip_tok_proj.{p}"},
                            {io::regroup_rows(config.unet.context_width, config.image_tokens)}},
                           {"text_proj.{p}", {p + "text_seq_proj.0.{p}"}},
                           {"text_norm.{p}", {p + "text_seq_proj.1.{p}"}}}};
  for (io::KeyRule& rule : nn::adm_unet_rules(config.unet, p)) map.rules.push_back(std::move(rule));
  return map;
}

}  // namespace unclip::decoder
