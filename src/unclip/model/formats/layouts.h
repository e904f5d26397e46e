// The layouts of model folders that this program knows. A new one is one more file here and one line in
// layouts.cpp.
#pragma once
#include "unclip/model/model.h"

namespace unclip::model {

/// A part of a folder, for `inspect`.
struct Component {
  std::string name;  // "prior", "decoder", …
  WeightsSource weights;
};

struct Layout {
  bool (*recognises)(const std::filesystem::path& path);
  Model (*open)(const std::filesystem::path& path, const std::filesystem::path& vocabulary);
  /// Null for a CLIP alone: its towers are the parts.
  std::vector<Component> (*components)(const std::filesystem::path& path);
};

extern const Layout kOwnLayout;       // own.cpp: model.json
extern const Layout kKarloLayout;     // karlo.cpp: Karlo in the layout of diffusers, model_index.json
extern const Layout kKakaoLayout;     // kakao.cpp: Karlo as Kakao released it, decoder-ckpt*.ckpt and so on
extern const Layout kOpenClipLayout;  // open_clip.cpp: open_clip_config.json
extern const Layout kHuggingFaceLayout;  // hugging_face_clip.cpp: config.json of transformers' CLIP
extern const Layout kOpenAiLayout;       // openai_clip.cpp: a PyTorch archive on its own

/// Error(io) if nothing is at `path` or no layout fits.
const Layout& layout_of(const std::filesystem::path& path);

}  // namespace unclip::model
