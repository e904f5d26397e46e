#include "unclip/nn/unet_key_map.h"

namespace unclip::nn {
namespace {

using Rules = std::vector<io::KeyRule>;

void add_res_block(Rules& rules, const std::string& ours, const std::string& theirs) {
  for (const auto& [here, there] :
       {std::pair("norm1", "norm1"), std::pair("conv1", "conv1"), std::pair("embed", "time_emb_proj"),
        std::pair("norm2", "norm2"), std::pair("conv2", "conv2"), std::pair("skip", "conv_shortcut")}) {
    rules.push_back({ours + "." + here + ".{p}", {theirs + "." + there + ".{p}"}});
  }
}

void add_attention(Rules& rules, const std::string& ours, const std::string& theirs) {
  rules.push_back({ours + ".norm.{p}", {theirs + ".group_norm.{p}"}});
  rules.push_back({ours + ".qkv.{p}", {theirs + ".to_q.{p}", theirs + ".to_k.{p}", theirs + ".to_v.{p}"}});
  rules.push_back({ours + ".context_kv.{p}", {theirs + ".add_k_proj.{p}", theirs + ".add_v_proj.{p}"}});
  rules.push_back({ours + ".out.{p}", {theirs + ".to_out.0.{p}"}});
}

}  // namespace

Rules diffusers_unet_rules(const std::string& theirs) {
  Rules rules{{"unet.time_embed.fc1.{p}", {theirs + "time_embedding.linear_1.{p}"}},
              {"unet.time_embed.fc2.{p}", {theirs + "time_embedding.linear_2.{p}"}},
              {"unet.conv_in.{p}", {theirs + "conv_in.{p}"}},
              {"unet.norm_out.{p}", {theirs + "conv_norm_out.{p}"}},
              {"unet.conv_out.{p}", {theirs + "conv_out.{p}"}}};
  for (const auto& [path, sampler] : {std::pair("down", "downsamplers"), std::pair("up", "upsamplers")}) {
    const std::string ours = std::string("unet.") + path + ".{l}";
    const std::string blocks = theirs + path + "_blocks.{l}";
    add_res_block(rules, ours + ".blocks.{i}", blocks + ".resnets.{i}");
    add_attention(rules, ours + ".attentions.{i}", blocks + ".attentions.{i}");
    add_res_block(rules, ours + ".resample", blocks + "." + sampler + ".0");
  }
  add_res_block(rules, "unet.mid_block1", theirs + "mid_block.resnets.0");
  add_res_block(rules, "unet.mid_block2", theirs + "mid_block.resnets.1");
  add_attention(rules, "unet.mid_attention", theirs + "mid_block.attentions.0");
  return rules;
}

}  // namespace unclip::nn
