#include "unclip/io/state.h"

#include <algorithm>
#include <map>

#include "unclip/base/error.h"

namespace unclip::io {
namespace {

constexpr size_t kNamed = 3;  // names listed before "and k more"

/// "missing 'a', 'b', 'c' and 4 more" or "".
std::string listing(const std::string& what, const std::vector<std::string>& names) {
  if (names.empty()) return "";
  std::string text = what;
  for (size_t i = 0; i < std::min(names.size(), kNamed); ++i)
    text += (i == 0 ? " '" : ", '") + names[i] + "'";
  if (names.size() > kNamed) text += join_text(" and ", names.size() - kNamed, " more");
  return text;
}

}  // namespace

NamedTensors state_of(const torch::nn::Module& module) {
  NamedTensors state;
  for (const auto& item : module.named_parameters()) state.emplace_back(item.key(), item.value());
  for (const auto& item : module.named_buffers()) state.emplace_back(item.key(), item.value());
  return state;
}

void load_state(torch::nn::Module& module, const NamedTensors& tensors, const std::string& where) {
  std::map<std::string, torch::Tensor> given(tensors.begin(), tensors.end());
  std::vector<std::string> missing, misshapen, unexpected;
  const NamedTensors state = state_of(module);
  for (const auto& [name, target] : state) {
    const auto found = given.find(name);
    if (found == given.end()) {
      missing.push_back(name);
    } else if (found->second.sizes() != target.sizes()) {
      misshapen.push_back(join_text(name, "' ", found->second.sizes(), " instead of ", target.sizes(), " '"));
    }
  }
  for (const auto& [name, tensor] : given) {
    const bool known = std::ranges::any_of(state, [&](const auto& item) { return item.first == name; });
    if (!known) unexpected.push_back(name);
  }
  std::string problems;
  for (const std::string& problem :
       {listing("missing", missing), listing("unexpected", unexpected), listing("misshapen", misshapen)}) {
    if (!problem.empty()) problems += (problems.empty() ? "" : "; ") + problem;
  }
  check(problems.empty(), ErrorKind::checkpoint, where, " does not fit the model of its config: ", problems);
  const torch::NoGradGuard no_grad;
  for (const auto& [name, target] : state) torch::Tensor(target).set_data(given.at(name));
}

void make_trainable(torch::nn::Module& module) {
  const torch::NoGradGuard no_grad;
  for (const auto& [name, target] : state_of(module)) {
    torch::Tensor(target).set_data(target.to(torch::kFloat32, false, /*copy=*/true).contiguous());
  }
}

}  // namespace unclip::io
