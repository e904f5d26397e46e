#include "unclip/model/formats/clip_files.h"

#include "unclip/io/weights.h"
#include "unclip/model/folder_licence.h"

namespace unclip::model {
namespace fs = std::filesystem;

fs::path folder_of_model(const fs::path& path) {
  if (fs::is_directory(path)) return path;
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

fs::path weights_of_model(const fs::path& path, const std::string& stem) {
  return fs::is_directory(path) ? io::find_weights(path, stem) : path;
}

fs::path find_tokenizer(const std::vector<fs::path>& folders,
                        const fs::path& vocabulary,
                        int64_t vocab_size) {
  constexpr int64_t kClipTokens = 49408;
  for (const fs::path& folder : folders) {
    if (fs::exists(folder / "vocab.json")) return folder;
  }
  check(vocab_size == kClipTokens, ErrorKind::io, "'", folders.front().string(),
        "' has no vocab.json, and CLIP's own has ", kClipTokens, " tokens, not ", vocab_size);
  check(!vocabulary.empty(), ErrorKind::io, "'", folders.front().string(),
        "' has no vocab.json and merges.txt: put CLIP's own there");
  return vocabulary;
}

void add_clip(const StoredClip& stored, const fs::path& path, Model& model) {
  stored.config.validate();
  model.manifest.name = path.filename().string();
  model.manifest.licence = licence_of(folder_of_model(path));
  const WeightsSource file{.folder = folder_of_model(stored.weights),
                           .file = stored.weights.filename().string()};
  const StoredNetwork<clip::ClipConfig> net{stored.config, {{file}, stored.key_map}};
  if (stored.towers == clip::Towers::both) set_clip(net, model);
  if (stored.towers == clip::Towers::image) model.image_encoder = net;
  if (stored.towers == clip::Towers::text) {
    model.text_encoder = net;
    model.text.context_length = stored.config.text.context_length;
  }
  if (model.text_encoder) model.manifest.stages["text_encoder"] = "";
  if (model.image_encoder) model.manifest.stages["image_encoder"] = "";
}

}  // namespace unclip::model
