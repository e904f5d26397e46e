// Names of a transformer block's parameters in other libraries, as rules that the rooms' key maps are built
// from.
#pragma once
#include "unclip/io/key_map.h"

namespace unclip::nn {

/// A block's parts as somebody else calls them, below the block: "layer_norm1", "mlp.fc1", …
struct BlockNames {
  std::string ln_1, ln_2, fc, proj, out;
  std::vector<std::string> qkv;  // one fused name, or q, k and v; none: the caller adds that rule
};

/// Rules for all blocks of a transformer that lies at `ours` here and at `theirs` there; {i} counts blocks.
std::vector<io::KeyRule> block_rules(const std::string& ours,
                                     const std::string& theirs,
                                     const BlockNames& names);

}  // namespace unclip::nn
