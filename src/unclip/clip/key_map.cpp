#include "unclip/clip/key_map.h"

#include "unclip/nn/transformer_key_map.h"

namespace unclip::clip {

io::KeyMap hugging_face_key_map() {
  const nn::BlockNames names{.ln_1 = "layer_norm1",
                             .ln_2 = "layer_norm2",
                             .fc = "mlp.fc1",
                             .proj = "mlp.fc2",
                             .out = "self_attn.out_proj",
                             .qkv = {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"}};
  io::KeyMap map{
      .rules = {{"logit_scale", {"logit_scale"}},
                {"visual.class_embedding", {"vision_model.embeddings.class_embedding"}},
                {"visual.patches.weight", {"vision_model.embeddings.patch_embedding.weight"}},
                {"visual.positional_embedding", {"vision_model.embeddings.position_embedding.weight"}},
                {"visual.ln_pre.{p}", {"vision_model.pre_layrnorm.{p}"}},  // spelt so in every released file
                {"visual.ln_post.{p}", {"vision_model.post_layernorm.{p}"}},
                {"visual.proj.weight", {"visual_projection.weight"}},
                {"text.token_embedding.weight", {"text_model.embeddings.token_embedding.weight"}},
                {"text.positional_embedding", {"text_model.embeddings.position_embedding.weight"}},
                {"text.ln_final.{p}", {"text_model.final_layer_norm.{p}"}},
                {"text.proj.weight", {"text_projection.weight"}}},
      .ignored = {"{any...}.position_ids"}};
  for (const auto& rules : {nn::block_rules("visual.transformer", "vision_model.encoder.layers", names),
                            nn::block_rules("text.transformer", "text_model.encoder.layers", names)}) {
    map.rules.insert(map.rules.end(), rules.begin(), rules.end());
  }
  return map;
}

io::KeyMap openai_key_map() {
  const nn::BlockNames names{.ln_1 = "ln_1",
                             .ln_2 = "ln_2",
                             .fc = "mlp.c_fc",
                             .proj = "mlp.c_proj",
                             .out = "attn.out_proj",
                             .qkv = {}};
  io::KeyMap map{
      .rules = {{"logit_scale", {"logit_scale"}},
                {"visual.class_embedding", {"visual.class_embedding"}},
                {"visual.patches.weight", {"visual.conv1.weight"}},
                {"visual.positional_embedding", {"visual.positional_embedding"}},
                {"visual.ln_pre.{p}", {"visual.ln_pre.{p}"}},
                {"visual.ln_post.{p}", {"visual.ln_post.{p}"}},
                {"visual.proj.weight", {"visual.proj"}, {io::transpose()}},
                {"text.token_embedding.weight", {"token_embedding.weight"}},
                {"text.positional_embedding", {"positional_embedding"}},
                {"text.ln_final.{p}", {"ln_final.{p}"}},
                {"text.proj.weight", {"text_projection"}, {io::transpose()}}},
      // Sizes that OpenAI stores as tensors, and the causal mask.
      .ignored = {"input_resolution", "context_length", "vocab_size", "attn_mask", "{any...}.attn_mask"}};
  for (const auto& [ours, theirs] :
       {std::pair<std::string, std::string>{"visual.transformer", "visual.transformer.resblocks"},
        {"text.transformer", "transformer.resblocks"}}) {
    for (io::KeyRule& rule : nn::block_rules(ours, theirs, names)) map.rules.push_back(std::move(rule));
    for (const char* p : {"weight", "bias"}) {
      map.rules.push_back({ours + ".blocks.{i}.attn.qkv." + p, {theirs + ".{i}.attn.in_proj_" + p}});
    }
  }
  return map;
}

io::KeyMap one_tower(io::KeyMap map, Towers tower) {
  const std::string other = tower == Towers::image ? "text." : "visual.";
  if (map.rules.empty()) {
    map.rules.push_back({"{name...}", {"{name...}"}});
    map.ignored.insert(map.ignored.end(), {other + "{name...}", "logit_scale"});
    return map;
  }
  std::erase_if(map.rules, [&](const io::KeyRule& rule) {
    const bool passed_over = rule.ours.starts_with(other) || rule.ours == "logit_scale";
    if (passed_over) map.ignored.insert(map.ignored.end(), rule.theirs.begin(), rule.theirs.end());
    return passed_over;
  });
  return map;
}

}  // namespace unclip::clip
