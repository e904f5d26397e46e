#include "unclip/model/weights.h"

#include <cmath>
#include <set>

#include "unclip/io/state.h"
#include "unclip/io/weights.h"
#include "unclip/nn/layers.h"

namespace unclip::model {
namespace {

/// The tensors that `source` must hold, without its prefix: those that begin with it and not with a longer
/// one.
io::NamedTensors part_of(const io::NamedTensors& all, const Weights& weights, const WeightsSource& source) {
  io::NamedTensors result;
  for (const auto& [name, tensor] : all) {
    const WeightsSource* owner = nullptr;
    for (const WeightsSource& known : weights.sources) {
      const bool is_closer = owner == nullptr || known.prefix.size() > owner->prefix.size();
      if (name.starts_with(known.prefix) && is_closer) owner = &known;
    }
    if (owner == &source) result.emplace(name.substr(source.prefix.size()), tensor);
  }
  return result;
}

struct Loaded {
  io::NamedTensors tensors;  // under our names
  std::string where;
};

/// Files that are checked against what the network expects in their own words, so that an error names a key
/// which is, or should be, in the file.
Loaded read_mapped(const torch::nn::Module& module, const Weights& weights) {
  const io::KeyMap& map = weights.key_map;
  const std::string first = weights.sources.front().folder.string();
  const io::NamedTensors expected = map.map_to_theirs(io::state_of(module), first);
  Loaded result{{}, first};
  io::NamedTensors theirs;
  for (const WeightsSource& source : weights.sources) {
    const std::filesystem::path file = file_of(source);
    io::NamedTensors tensors = io::read_weights(file);
    std::erase_if(tensors, [&](const auto& item) { return map.ignores(source.prefix + item.first); });
    io::check_fit(part_of(expected, weights, source), tensors, file.string());
    for (auto& [name, tensor] : tensors) theirs.emplace(source.prefix + name, tensor);
    result.where = file.string();
  }
  result.tensors = map.map_to_ours(theirs, result.where);
  return result;
}

Loaded read_own(const Weights& weights) {
  const WeightsSource& source = weights.sources.front();
  const std::filesystem::path file = file_of(source);
  return {io::read_weights(file), file.string()};
}

/// Weights of which a frozen layer keeps a packed copy, in the type that it computes in.
std::set<std::string> packed_weights(const torch::nn::Module& module) {
  std::set<std::string> names;
  for (const auto& item : module.named_modules()) {
    const auto* const part = item.value().get();
    if (dynamic_cast<const nn::LinearImpl*>(part) != nullptr ||
        dynamic_cast<const nn::Conv2dImpl*>(part) != nullptr)
      names.insert(item.key() + ".weight");
  }
  return names;
}

Loaded read(const torch::nn::Module& module, const Weights& weights) {
  return weights.key_map.rules.empty() ? read_own(weights) : read_mapped(module, weights);
}

}  // namespace

std::filesystem::path file_of(const WeightsSource& source) {
  if (source.file.empty()) return io::find_weights(source.folder, source.stem);
  std::filesystem::path file = source.folder / source.file;
  check(std::filesystem::exists(file), ErrorKind::io, "'", source.folder.string(), "' has no ", source.file);
  return file;
}

io::NamedTensors read_tensors(const torch::nn::Module& module, const Weights& weights) {
  Loaded loaded = read(module, weights);
  io::check_fit(io::state_of(module), loaded.tensors, loaded.where);
  return std::move(loaded.tensors);
}

void load_frozen(torch::nn::Module& module,
                 const Weights& weights,
                 const LoadOptions& options,
                 std::vector<torch::Tensor>* mapped) {
  Loaded loaded = read(module, weights);
  const std::set<std::string> packed = mapped == nullptr ? std::set<std::string>{} : packed_weights(module);
  for (const auto& item : module.named_parameters()) {
    const auto found = loaded.tensors.find(item.key());
    if (found != loaded.tensors.end() && found->second.is_floating_point() && !packed.contains(item.key()))
      found->second = found->second.to(options.dtype);
  }
  io::load_state(module, loaded.tensors, loaded.where, {.aligned = true});
  nn::freeze_parameters(module);
  if (!options.device.is_cpu()) module.to(options.device);
  for (const std::string& name : packed) {
    // A tensor that was copied has memory of LibTorch's allocator.
    const torch::Tensor& weight = loaded.tensors.at(name);
    if (weight.storage().allocator() == nullptr) mapped->push_back(weight);
  }
}

io::NamedTensors read_clip_tensors(const Model& model) {
  if (model.clip) return read_tensors<clip::Clip>(*model.clip);
  io::NamedTensors result =
      read_tensors<clip::Clip>(required(model, model.text_encoder, "text_encoder"), clip::Towers::text);
  result.merge(
      read_tensors<clip::Clip>(required(model, model.image_encoder, "image_encoder"), clip::Towers::image));
  result.emplace("logit_scale", torch::tensor(static_cast<float>(std::log(100.0))));
  return result;
}

}  // namespace unclip::model
