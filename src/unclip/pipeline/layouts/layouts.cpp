#include "unclip/pipeline/layouts/layouts.h"

#include <algorithm>
#include <array>

namespace unclip::pipeline {

const Layout* find_layout(const std::filesystem::path& folder) {
  static constexpr std::array<const Layout*, 3> kLayouts{&kOwnLayout, &kKarloLayout, &kKakaoLayout};
  const auto* const found =
      std::ranges::find_if(kLayouts, [&](const Layout* layout) { return layout->recognises(folder); });
  return found == kLayouts.end() ? nullptr : *found;
}

const Layout& layout_of(const std::filesystem::path& folder) {
  const Layout* const found = find_layout(folder);
  check(found != nullptr, ErrorKind::io, "'", folder.string(),
        "' is no model directory: it has no model.json, nor a model_index.json of diffusers, nor Kakao's "
        "decoder-ckpt*.ckpt");
  return *found;
}

Model open_model(const std::filesystem::path& path, const std::filesystem::path& vocabulary) {
  return layout_of(path).open(path, vocabulary);
}

}  // namespace unclip::pipeline
