#include "unclip/io/weights.h"

#include "unclip/pipeline/model.h"

namespace unclip::pipeline {
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

}  // namespace

std::filesystem::path file_of(const WeightsSource& source) {
  if (source.file.empty()) return io::find_weights(source.folder, source.stem);
  std::filesystem::path file = source.folder / source.file;
  check(std::filesystem::exists(file), ErrorKind::io, "'", source.folder.string(), "' has no ", source.file);
  return file;
}

text::Tokenizer load_tokenizer(const TextInput& text) {
  if (text.rules == text::TokenRules::openai)
    return text::Tokenizer::openai(text::Vocabulary::load(text.tokenizer));
  return text::Tokenizer::load(text.tokenizer);
}

void load_frozen(torch::nn::Module& module, const Weights& weights, torch::ScalarType dtype) {
  Loaded loaded = weights.key_map.rules.empty() ? read_own(weights) : read_mapped(module, weights);
  for (const auto& item : module.named_parameters()) {
    const auto found = loaded.tensors.find(item.key());
    if (found != loaded.tensors.end() && found->second.is_floating_point())
      found->second = found->second.to(dtype);
  }
  io::load_state(module, loaded.tensors, loaded.where);
  nn::freeze_parameters(module);
}

}  // namespace unclip::pipeline
