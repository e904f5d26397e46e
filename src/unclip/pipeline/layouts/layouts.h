// The layouts of model folders that this program knows. A new one is one more file here and one line in
// layouts.cpp.
#pragma once
#include "unclip/pipeline/model.h"

namespace unclip::pipeline {

/// A part of a folder, for `inspect`.
struct Component {
  std::string name;  // "prior", "decoder", …
  WeightsSource weights;
};

struct Layout {
  bool (*recognises)(const std::filesystem::path& folder);
  Model (*open)(const std::filesystem::path& folder, const std::filesystem::path& vocabulary);
  std::vector<Component> (*components)(const std::filesystem::path& folder);
};

extern const Layout kOwnLayout;    // model.json
extern const Layout kKarloLayout;  // Karlo in the layout of diffusers: model_index.json
extern const Layout kKakaoLayout;  // Karlo as Kakao released it: decoder-ckpt*.ckpt and so on

/// Null if no layout fits.
const Layout* find_layout(const std::filesystem::path& folder);
/// Error(io) if no layout fits.
const Layout& layout_of(const std::filesystem::path& folder);

}  // namespace unclip::pipeline
