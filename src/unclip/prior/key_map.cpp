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

io::KeyMap kakao_key_map(int64_t heads) {
  io::KeyMap map{
      .rules = {{"time_embed.fc1.{p}", {"model.time_embed.0.{p}"}},
                {"time_embed.fc2.{p}", {"model.time_embed.2.{p}"}},
                {"z_i_proj.{p}", {"model.clip_img_proj.{p}"}},
                {"z_t_proj.{p}", {"model.text_emb_proj.{p}"}},
                {"text_proj.{p}", {"model.text_enc_proj.{p}"}},
                {"positional_embedding", {"model.positional_embedding"}, {io::drop_leading_ones(1)}},
                {"query", {"model.prd_emb"}, {io::drop_leading_ones(2)}},
                {"ln_out.{p}", {"model.final_ln.{p}"}},
                {"out.{p}", {"model.out_proj.{p}"}},
                {"stats.mean", {"stats.0"}},
                {"stats.std", {"stats.1"}},
                {"transformer.blocks.{i}.attn.qkv.{p}",
                 {"model.transformer.resblocks.{i}.attn.c_qkv.{p}"},
                 {io::regroup_rows(heads, 3)}}}};
  const auto blocks = nn::block_rules("transformer", "model.transformer.resblocks",
                                      {.ln_1 = "ln_1",
                                       .ln_2 = "ln_2",
                                       .fc = "mlp.c_fc",
                                       .proj = "mlp.c_proj",
                                       .out = "attn.c_proj",
                                       .qkv = {}});
  map.rules.insert(map.rules.end(), blocks.begin(), blocks.end());
  return map;
}

}  // namespace unclip::prior
