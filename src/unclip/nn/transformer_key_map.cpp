#include "unclip/nn/transformer_key_map.h"

namespace unclip::nn {

std::vector<io::KeyRule> block_rules(const std::string& ours,
                                     const std::string& theirs,
                                     const BlockNames& names) {
  const std::string here = ours + ".blocks.{i}.", there = theirs + ".{i}.";
  const auto rule = [&](const char* our_name, const std::string& their_name) {
    return io::KeyRule{here + our_name + ".{p}", {there + their_name + ".{p}"}};
  };
  std::vector<io::KeyRule> rules{rule("ln_1", names.ln_1), rule("attn.out", names.out),
                                 rule("ln_2", names.ln_2), rule("mlp.fc", names.fc),
                                 rule("mlp.proj", names.proj)};
  if (names.qkv.empty()) return rules;
  io::KeyRule qkv{here + "attn.qkv.{p}", {}};
  for (const std::string& name : names.qkv) qkv.theirs.push_back(there + name + ".{p}");
  rules.push_back(std::move(qkv));
  return rules;
}

}  // namespace unclip::nn
