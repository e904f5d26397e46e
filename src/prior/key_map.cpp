#include "unclip/prior/key_map.h"

#include "unclip/nn/transformer_key_map.h"

namespace unclip::prior {

io::KeyMap diffusers_key_map() {
  io::KeyMap map{.rules = {{"time_embed.fc1.{p}", {"time_embedding.linear_1.{p}"}},
                           {"time_embed.fc2.{p}", {"time_embedding.linear_2.{p}"}},
                           {"z_i_proj.{p}", {"proj_in.{p}"}},
                           {"z_t_proj.{p}", {"embedding_proj.{p}"}},
                           {"text_proj.{p}", {"encoder_hidden_states_proj.{p}"}},
                           {"positional_embedding", {"positional_embedding"}, {io::drop_leading_ones(1)}},
                           {"query", {"prd_embedding"}, {io::drop_leading_ones(2)}},
                           {"ln_out.{p}", {"norm_out.{p}"}},
                           {"out.{p}", {"proj_to_clip_embeddings.{p}"}},
                           {"stats.mean", {"clip_mean"}, {io::drop_leading_ones(1)}},
                           {"stats.std", {"clip_std"}, {io::drop_leading_ones(1)}}}};
  const auto blocks = nn::block_rules("transformer", "transformer_blocks",
                                      {.ln_1 = "norm1",
                                       .ln_2 = "norm3",
                                       .fc = "ff.net.0.proj",
                                       .proj = "ff.net.2",
                                       .out = "attn1.to_out.0",
                                       .qkv = {"attn1.to_q", "attn1.to_k", "attn1.to_v"}});
  map.rules.insert(map.rules.end(), blocks.begin(), blocks.end());
  return map;
}

}  // namespace unclip::prior
