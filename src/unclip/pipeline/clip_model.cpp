#include "unclip/pipeline/clip_model.h"

#include <algorithm>
#include <array>

#include "unclip/io/state.h"
#include "unclip/io/weights.h"
#include "unclip/pipeline/clip_layouts/layouts.h"

namespace unclip::pipeline {
namespace fs = std::filesystem;
namespace {

/// What the file must hold, in its own words; nothing is allocated, so a configuration may lie about sizes.
io::NamedTensors expected_tensors(const ClipModel& model) {
  const nn::ParameterDevice shapes_only(torch::kMeta);
  const clip::Clip net(model.config, model.towers);
  const io::NamedTensors ours = io::state_of(*net);
  return model.key_map.rules.empty() ? ours : model.key_map.map_to_theirs(ours, model.weights.string());
}

/// Null if none fits.
const ClipLayout* find_layout(const fs::path& path) {
  static constexpr std::array<const ClipLayout*, 4> kLayouts{&kOwnClip, &kOpenClip, &kHuggingFaceClip,
                                                             &kOpenAiClip};
  const auto* const layout =
      std::ranges::find_if(kLayouts, [&](const ClipLayout* known) { return known->recognises(path); });
  return layout == kLayouts.end() ? nullptr : *layout;
}

}  // namespace

bool is_clip(const fs::path& path) { return find_layout(path) != nullptr; }

ClipModel open_clip(const fs::path& path, const fs::path& vocabulary) {
  check(fs::exists(path), ErrorKind::io, "there is no model '", path.string(), "'");
  const ClipLayout* const layout = find_layout(path);
  check(layout != nullptr, ErrorKind::io, "'", path.string(),
        "' is no CLIP model: expected a folder with model.json, config.json of a CLIP, or "
        "open_clip_config.json, or "
        "OpenAI's .pt file");
  ClipModel model = layout->open(path, vocabulary);
  model.config.validate();
  return model;
}

io::NamedTensors read_clip_weights(const ClipModel& model) {
  io::NamedTensors theirs = io::read_weights(model.weights);
  std::erase_if(theirs, [&](const auto& item) { return model.key_map.ignores(item.first); });
  io::check_fit(expected_tensors(model), theirs, model.weights.string());
  return model.key_map.rules.empty() ? theirs : model.key_map.map_to_ours(theirs, model.weights.string());
}

clip::Clip load_clip(const ClipModel& model, torch::ScalarType dtype) {
  const io::NamedTensors weights = read_clip_weights(model);  // before the network: it may be refused
  clip::Clip net(model.config, model.towers);
  io::load_state(*net, weights, model.weights.string(), {.dtype = dtype, .aligned = true});
  for (torch::Tensor& parameter : net->parameters()) parameter.set_requires_grad(false);
  net->set_compute_dtype(dtype);
  net->eval();
  return net;
}

text::Tokenizer load_tokenizer(const ClipModel& model) {
  text::Tokenizer tokenizer = model.token_rules == text::TokenRules::openai
                                  ? text::Tokenizer::openai(text::Vocabulary::load(model.tokenizer))
                                  : text::Tokenizer::load(model.tokenizer);
  const int64_t size = tokenizer.vocabulary().size();
  check(size <= model.config.text.vocab_size, ErrorKind::data, model.tokenizer.string(), " has ", size,
        " tokens, but the model knows ", model.config.text.vocab_size);
  return tokenizer;
}

}  // namespace unclip::pipeline
