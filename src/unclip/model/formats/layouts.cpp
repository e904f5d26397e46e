#include "unclip/model/formats/layouts.h"

#include <algorithm>
#include <array>

#include "unclip/clip/key_map.h"

namespace unclip::model {

namespace {

/// Null if none fits.
const Layout* find_layout(const std::filesystem::path& path) {
  static constexpr std::array<const Layout*, 6> kLayouts{
      &kOwnLayout, &kKarloLayout, &kKakaoLayout, &kOpenClipLayout, &kHuggingFaceLayout, &kOpenAiLayout};
  const auto* const found =
      std::ranges::find_if(kLayouts, [&](const Layout* layout) { return layout->recognises(path); });
  return found == kLayouts.end() ? nullptr : *found;
}

}  // namespace

bool is_model(const std::filesystem::path& path) { return find_layout(path) != nullptr; }

const Layout& layout_of(const std::filesystem::path& path) {
  check(std::filesystem::exists(path), ErrorKind::io, "there is no model '", path.string(), "'");
  const Layout* const found = find_layout(path);
  check(found != nullptr, ErrorKind::io, "'", path.string(),
        "' is no model directory: it has no model.json, nor a model_index.json of diffusers, nor Kakao's "
        "decoder-ckpt*.ckpt; and it is no CLIP model: no config.json of transformers' CLIP, no "
        "open_clip_config.json, not OpenAI's .pt file");
  return *found;
}

void set_clip(const StoredNetwork<clip::ClipConfig>& clip, Model& model) {
  const auto tower = [&clip](clip::Towers wanted) {
    StoredNetwork<clip::ClipConfig> alone = clip;
    alone.weights.key_map = clip::one_tower(clip.weights.key_map, wanted);
    return alone;
  };
  model.clip = clip;
  model.text_encoder = tower(clip::Towers::text);
  model.image_encoder = tower(clip::Towers::image);
  model.text.context_length = clip.config.text.context_length;
}

Model open_model(const std::filesystem::path& path, const std::filesystem::path& vocabulary) {
  Model model = layout_of(path).open(path, vocabulary);
  model.path = path;
  return model;
}

text::Tokenizer load_tokenizer(const Model& model) {
  const TextInput& text = model.text;
  text::Tokenizer tokenizer = text.rules == text::TokenRules::openai
                                  ? text::Tokenizer::openai(text::Vocabulary::load(text.tokenizer))
                                  : text::Tokenizer::load(text.tokenizer);
  if (!model.text_encoder) return tokenizer;
  const int64_t size = tokenizer.vocabulary().size(), known = model.text_encoder->config.text.vocab_size;
  check(size <= known, ErrorKind::data, text.tokenizer.string(), " has ", size,
        " tokens, but the model knows ", known);
  return tokenizer;
}

}  // namespace unclip::model
