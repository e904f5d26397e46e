#include "unclip/io/key_map.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "unclip/base/error.h"
#include "unclip/io/state.h"

namespace unclip::io {
namespace {

using torch::Tensor;
using Bindings = std::map<std::string, std::string>;  // variable → text

std::vector<std::string> split(std::string_view name) {
  std::vector<std::string> parts;
  for (size_t begin = 0;;) {
    const size_t end = std::min(name.find('.', begin), name.size());
    parts.emplace_back(name.substr(begin, end - begin));
    if (end == name.size()) return parts;
    begin = end + 1;
  }
}

std::string join(const std::vector<std::string>& parts, size_t begin, size_t count) {
  std::string name = parts[begin];
  for (size_t i = begin + 1; i < begin + count; ++i) name += "." + parts[i];
  return name;
}

/// A pattern taken apart once, then matched against every name.
class Pattern {
 public:
  explicit Pattern(const std::string& text) : text_(text) {
    // The dots of "{x...}" do not separate parts.
    std::string plain = text;
    const size_t dots = plain.find("...}");
    if (dots != std::string::npos) plain.erase(dots, 3);
    parts_ = split(plain);
    if (dots != std::string::npos)
      many_ = static_cast<size_t>(
          std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(dots), '.'));
    check(plain.find("...}") == std::string::npos, ErrorKind::config, "key pattern '", text,
          "' has two {x...}, expected at most one");
  }

  std::optional<Bindings> match(const std::vector<std::string>& name) const {
    if (many_ ? name.size() < parts_.size() : name.size() != parts_.size()) return std::nullopt;
    Bindings bindings;
    size_t at = 0;
    for (size_t i = 0; i < parts_.size(); ++i) {
      const size_t count = many_ == i ? name.size() - parts_.size() + 1 : 1;
      const std::string text = join(name, at, count);
      if (is_variable(parts_[i])) {
        if (bindings.emplace(parts_[i], text).first->second != text) return std::nullopt;
      } else if (parts_[i] != text) {
        return std::nullopt;
      }
      at += count;
    }
    return bindings;
  }

  std::string fill(const Bindings& bindings) const {
    std::string name;
    for (const std::string& part : parts_) {
      name += name.empty() ? "" : ".";
      if (!is_variable(part)) {
        name += part;
        continue;
      }
      const auto found = bindings.find(part);
      check(found != bindings.end(), ErrorKind::config, "key pattern '", text_, "' uses ", part,
            ", which the other side of its rule lacks");
      name += found->second;
    }
    return name;
  }

 private:
  static bool is_variable(const std::string& part) {
    return part.size() > 2 && part.front() == '{' && part.back() == '}';
  }

  std::string text_;
  std::vector<std::string> parts_;
  std::optional<size_t> many_;  // index of the part that may stand for several
};

struct CompiledRule {
  explicit CompiledRule(const KeyRule& source) : rule(&source), ours(source.ours) {
    for (const std::string& pattern : source.theirs) theirs.emplace_back(pattern);
  }
  const KeyRule* rule;
  Pattern ours;
  std::vector<Pattern> theirs;
};

bool matches_any(const std::vector<Pattern>& patterns, const std::vector<std::string>& name) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const Pattern& p) { return p.match(name).has_value(); });
}

/// Rearrangements check shapes by c10::Error; a tensor that does not fit is the checkpoint's fault.
template <class Work>
auto at_tensor(const std::string& name, const std::string& where, const Work& work) {
  try {
    return work();
  } catch (const c10::Error& error) {
    fail(ErrorKind::checkpoint, where, ": '", name,
         "' does not fit its key rule: ", error.what_without_backtrace());
  }
}

Tensor to_ours(const KeyRule& rule, const std::vector<Tensor>& parts) {
  for (const Tensor& part : parts) {
    TORCH_CHECK(parts.size() == 1 || (part.dim() > 0 && part.sizes() == parts.front().sizes()),
                "the parts to be joined have different shapes");
    TORCH_CHECK(part.scalar_type() == parts.front().scalar_type(), "the parts to be joined are ",
                parts.front().scalar_type(), " and ", part.scalar_type());
  }
  Tensor result = parts.size() > 1 ? torch::cat(parts, 0) : parts.front();
  for (const Rearrangement& step : rule.rearrangements) result = step.to_ours(result);
  return result;
}

std::vector<Tensor> to_theirs(const KeyRule& rule, Tensor tensor) {
  for (auto step = rule.rearrangements.rbegin(); step != rule.rearrangements.rend(); ++step) {
    tensor = step->to_theirs(tensor);
  }
  const auto count = static_cast<int64_t>(rule.theirs.size());
  if (count == 1) return {tensor};
  TORCH_CHECK(tensor.dim() > 0 && tensor.size(0) % count == 0, "its rows do not divide by ", count);
  return tensor.chunk(count, 0);
}

/// The tensors of theirs that become one of ours.
struct Join {
  const KeyRule* rule;
  std::vector<std::string> names;
  std::vector<Tensor> parts;
};

/// Finds the rule and the part of `name`, and files `tensor` there; false if no rule knows it.
bool file_part(const std::vector<CompiledRule>& rules,
               const std::string& name,
               const Tensor& tensor,
               std::map<std::string, Join>& joins) {
  const std::vector<std::string> words = split(name);
  for (const CompiledRule& rule : rules) {
    for (size_t i = 0; i < rule.theirs.size(); ++i) {
      const std::optional<Bindings> bindings = rule.theirs[i].match(words);
      if (!bindings) continue;
      Join& join = joins[rule.ours.fill(*bindings)];
      if (join.parts.empty()) {
        join = {rule.rule, {}, std::vector<Tensor>(rule.theirs.size())};
        for (const Pattern& pattern : rule.theirs) join.names.push_back(pattern.fill(*bindings));
      }
      if (join.rule != rule.rule) return false;  // another rule made this name already
      join.parts[i] = tensor;
      return true;
    }
  }
  return false;
}

}  // namespace

Rearrangement transpose() {
  const auto swap = [](const Tensor& x) {
    TORCH_CHECK(x.dim() == 2, "its shape is ", x.sizes(), ", expected a matrix");
    return x.t().contiguous();
  };
  return {swap, swap};
}

Rearrangement drop_leading_ones(int64_t count) {
  const std::vector<int64_t> ones(static_cast<size_t>(count), 1);
  return {[=](const Tensor& x) {
            TORCH_CHECK(x.dim() >= count && x.sizes().slice(0, count) == torch::IntArrayRef(ones),
                        "its shape is ", x.sizes(), ", expected it to begin with ", torch::IntArrayRef(ones));
            return x.reshape(x.sizes().slice(count));
          },
          [=](const Tensor& x) {
            std::vector<int64_t> shape = ones;
            shape.insert(shape.end(), x.sizes().begin(), x.sizes().end());
            return x.reshape(shape);
          }};
}

Rearrangement drop_trailing_ones(int64_t count) {
  const std::vector<int64_t> ones(static_cast<size_t>(count), 1);
  return {[=](const Tensor& x) {
            const int64_t kept = x.dim() - count;
            TORCH_CHECK(kept >= 0 && x.sizes().slice(kept) == torch::IntArrayRef(ones), "its shape is ",
                        x.sizes(), ", expected it to end with ", torch::IntArrayRef(ones));
            return x.reshape(x.sizes().slice(0, kept));
          },
          [=](const Tensor& x) {
            std::vector<int64_t> shape = x.sizes().vec();
            shape.insert(shape.end(), ones.begin(), ones.end());
            return x.reshape(shape);
          }};
}

Rearrangement regroup_rows(int64_t outer, int64_t inner) {
  const auto regroup = [](const Tensor& x, int64_t first, int64_t second) {
    TORCH_CHECK(x.dim() > 0 && x.size(0) % (first * second) == 0, "its shape is ", x.sizes(),
                ", expected a multiple of ", first * second, " rows");
    std::vector<int64_t> shape = x.sizes().vec();
    const int64_t rest = shape[0] / (first * second);
    shape[0] = rest;
    shape.insert(shape.begin(), {first, second});
    return x.reshape(shape).transpose(0, 1).reshape(x.sizes());
  };
  return {[=](const Tensor& x) { return regroup(x, outer, inner); },
          [=](const Tensor& x) { return regroup(x, inner, outer); }};
}

NamedTensors KeyMap::map_to_ours(const NamedTensors& theirs, const std::string& where) const {
  const std::vector<CompiledRule> compiled(rules.begin(), rules.end());
  const std::vector<Pattern> skipped(ignored.begin(), ignored.end());
  std::map<std::string, Join> joins;
  std::vector<std::string> unknown;
  for (const auto& [name, tensor] : theirs) {
    if (matches_any(skipped, split(name))) continue;
    if (!file_part(compiled, name, tensor, joins)) unknown.push_back(name);
  }
  check(unknown.empty(), ErrorKind::checkpoint, where,
        " has tensors that this model does not know: ", list_names(unknown));

  NamedTensors ours;
  std::vector<std::string> missing;
  for (const auto& [name, join] : joins) {
    for (size_t i = 0; i < join.parts.size(); ++i) {
      if (!join.parts[i].defined()) missing.push_back(join.names[i]);
    }
    if (!missing.empty()) continue;
    ours[name] = at_tensor(join.names.front(), where, [&] { return to_ours(*join.rule, join.parts); });
  }
  check(missing.empty(), ErrorKind::checkpoint, where, " lacks ", list_names(missing));
  return ours;
}

bool KeyMap::ignores(const std::string& theirs) const {
  const std::vector<Pattern> skipped(ignored.begin(), ignored.end());
  return matches_any(skipped, split(theirs));
}

NamedTensors KeyMap::map_to_theirs(const NamedTensors& ours, const std::string& where) const {
  const std::vector<CompiledRule> compiled(rules.begin(), rules.end());
  NamedTensors theirs;
  std::vector<std::string> unknown;
  for (const auto& [name, tensor] : ours) {
    const std::vector<std::string> words = split(name);
    std::optional<Bindings> bindings;
    const auto rule = std::find_if(compiled.begin(), compiled.end(), [&](const CompiledRule& candidate) {
      bindings = candidate.ours.match(words);
      return bindings.has_value();
    });
    if (!bindings) {
      unknown.push_back(name);
      continue;
    }
    const auto parts = at_tensor(name, where, [&] { return to_theirs(*rule->rule, tensor); });
    for (size_t i = 0; i < parts.size(); ++i) theirs[rule->theirs[i].fill(*bindings)] = parts[i];
  }
  check(unknown.empty(), ErrorKind::checkpoint, where,
        " has tensors that the other layout does not know: ", list_names(unknown));
  return theirs;
}

}  // namespace unclip::io
