#include "unclip/io/state.h"

#include "unclip/base/error.h"

namespace unclip::io {
namespace {

std::string shape_text(const torch::Tensor& tensor) {
  std::string text;
  for (const int64_t size : tensor.sizes()) text += (text.empty() ? "" : ", ") + std::to_string(size);
  return "[" + text + "]";
}

/// Why `source` cannot stand for `target`, or "".
std::string misfit(const std::string& name, const torch::Tensor& target, const torch::Tensor& source) {
  if (source.sizes() != target.sizes()) {
    return join_text("'", name, "' has shape ", shape_text(source), ", expected ", shape_text(target));
  }
  const bool same_kind =
      source.is_floating_point() ? target.is_floating_point() : source.scalar_type() == target.scalar_type();
  if (!same_kind) {
    return join_text("'", name, "' has type ", source.scalar_type(), ", expected ", target.scalar_type());
  }
  return "";
}

torch::Tensor converted(const torch::Tensor& tensor, std::optional<torch::ScalarType> dtype) {
  return dtype && tensor.is_floating_point() ? tensor.to(*dtype) : tensor;
}

torch::Tensor aligned(const torch::Tensor& tensor) {
  constexpr size_t kCacheLine = 64, kSmall = size_t{1} << 20;
  const bool is_aligned = reinterpret_cast<uintptr_t>(tensor.const_data_ptr()) % kCacheLine == 0;
  return is_aligned || tensor.nbytes() > kSmall ? tensor : tensor.clone();
}

}  // namespace

std::string list_names(const std::vector<std::string>& names) {
  constexpr size_t kShown = 3;
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), kShown); ++i) {
    text += (i == 0 ? "'" : ", '") + names[i] + "'";
  }
  return text + (names.size() > kShown ? join_text(" and ", names.size() - kShown, " more") : "");
}

void check_fit(const NamedTensors& expected, const NamedTensors& source, const std::string& where) {
  std::vector<std::string> missing, unexpected, misfits;
  for (const auto& [name, target] : expected) {
    const auto found = source.find(name);
    if (found == source.end()) {
      missing.push_back(name);
    } else if (std::string reason = misfit(name, target, found->second); !reason.empty()) {
      misfits.push_back(std::move(reason));
    }
  }
  for (const auto& [name, tensor] : source) {
    if (expected.count(name) == 0) unexpected.push_back(name);
  }
  std::string text;
  const auto add = [&text](const std::string& part) { text += (text.empty() ? ": " : "; ") + part; };
  if (!missing.empty()) add("missing " + list_names(missing));
  if (!unexpected.empty()) add("unexpected " + list_names(unexpected));
  if (!misfits.empty()) {
    add(misfits.front() + (misfits.size() > 1 ? join_text(" (and ", misfits.size() - 1, " more such)") : ""));
  }
  check(text.empty(), ErrorKind::checkpoint, where, " does not fit the model", text);
}

NamedTensors state_of(const torch::nn::Module& module) {
  NamedTensors state;
  for (const auto& item : module.named_parameters()) state.emplace(item.key(), item.value());
  for (const auto& item : module.named_buffers()) state.emplace(item.key(), item.value());
  return state;
}

void load_state(torch::nn::Module& module,
                const NamedTensors& source,
                const std::string& where,
                const LoadOptions& options) {
  NamedTensors targets = state_of(module);
  check_fit(targets, source, where);
  for (const auto& [name, target] : targets) {
    check(target.is_cpu(), ErrorKind::config, where, " cannot be loaded into '", name, "': it is on device ",
          target.device().str(), ", expected a model made on the CPU");
  }
  for (auto& [name, target] : targets) {
    const torch::Tensor value = converted(source.at(name), options.dtype);
    target.set_data(options.aligned ? aligned(value) : value);
  }
}

void save_state(const torch::nn::Module& module,
                const std::filesystem::path& path,
                const SaveOptions& options) {
  NamedTensors state = state_of(module);
  for (auto& [name, tensor] : state) tensor = converted(tensor.detach(), options.dtype);
  write_safetensors(path, state, options.metadata);
}

}  // namespace unclip::io
