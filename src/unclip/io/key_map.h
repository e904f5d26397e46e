// How the names and layouts of somebody else's checkpoint correspond to ours, as data that works both ways.
//
//   KeyMap map{.rules = {{"blocks.{i}.ln_1.{p}", {"layers.{i}.norm1.{p}"}},
//                        {"blocks.{i}.attn.qkv.{p}", {"layers.{i}.q.{p}", "layers.{i}.k.{p}",
//                        "layers.{i}.v.{p}"}},
//                        {"proj.weight", {"proj"}, {transpose()}}},
//              .ignored = {"{any...}.position_ids"}};
//
// A pattern is a name in which a whole part between dots may be {x}, any one part, or {x...}, one or more
// parts (at most one of these per pattern). Both sides of a rule use the same variables.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "unclip/io/safetensors.h"

namespace unclip::io {

/// A rearrangement of one tensor that loses nothing.
struct Rearrangement {
  std::function<torch::Tensor(const torch::Tensor&)> to_ours;
  std::function<torch::Tensor(const torch::Tensor&)> to_theirs;
};

/// [A, B] <-> [B, A]: matrices applied as x·P against nn::Linear's W·x.
Rearrangement transpose();
/// Theirs [1, …, 1, A, …] <-> ours [A, …], with `count` ones.
Rearrangement drop_leading_ones(int64_t count);
/// Theirs [A, …, 1, …, 1] <-> ours [A, …]: a 1×1 convolution against a linear layer.
Rearrangement drop_trailing_ones(int64_t count);
/// Rows of theirs counted as [outer, inner, rest], of ours as [inner, outer, rest]. With (heads, 3): rows
/// q, k, v of each head in turn against all q, all k, all v. With (width, tokens): Karlo's projection to
/// extra tokens, token fastest, against one block of rows per token.
Rearrangement regroup_rows(int64_t outer, int64_t inner);

struct KeyRule {
  std::string ours;
  std::vector<std::string> theirs;              // several are joined along dimension 0, in equal parts
  std::vector<Rearrangement> rearrangements{};  // after joining, in this order
};

struct KeyMap {
  std::vector<KeyRule> rules;          // the first that matches a name counts
  std::vector<std::string> ignored{};  // theirs that have no counterpart

  /// Error(checkpoint) beginning with `where` that names tensors which no rule knows, or parts of a join that
  /// are missing.
  NamedTensors map_to_ours(const NamedTensors& theirs, const std::string& where) const;
  /// Whether a name of theirs has no counterpart and needs none.
  bool ignores(const std::string& theirs) const;
  /// The inverse, value for value; what was ignored does not come back.
  NamedTensors map_to_theirs(const NamedTensors& ours, const std::string& where) const;
};

}  // namespace unclip::io
