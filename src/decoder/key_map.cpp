#include "unclip/decoder/key_map.h"

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

}  // namespace unclip::decoder
