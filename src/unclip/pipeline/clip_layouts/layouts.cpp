#include "unclip/pipeline/clip_layouts/layouts.h"

#include "unclip/io/weights.h"

namespace unclip::pipeline {
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

}  // namespace unclip::pipeline
