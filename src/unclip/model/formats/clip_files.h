// What the layouts of CLIPs share: where their files lie, and the description they become.
#pragma once
#include "unclip/model/foreign_config.h"
#include "unclip/model/model.h"

namespace unclip::model {

/// The folder of a model that is named by its folder or by the weights in it.
std::filesystem::path folder_of_model(const std::filesystem::path& path);
/// `path` itself if it is a file, else the weights in the folder.
std::filesystem::path weights_of_model(const std::filesystem::path& path, const std::string& stem);
/// Of the folders that hold a vocab.json the first; `vocabulary`, CLIP's own, if none does and the size fits.
std::filesystem::path find_tokenizer(const std::vector<std::filesystem::path>& folders,
                                     const std::filesystem::path& vocabulary,
                                     int64_t vocab_size);

/// A CLIP as its library stores it.
struct StoredClip {
  clip::ClipConfig config{};
  std::filesystem::path weights;  // for io::read_weights
  io::KeyMap key_map{};           // of what the file holds
  clip::Towers towers = clip::Towers::both;
};
/// Puts what is stored at `path` into `model`: both towers as `clip` and each alone, or the one that there
/// is. Error(config) if there can be no such CLIP.
void add_clip(const StoredClip& stored, const std::filesystem::path& path, Model& model);

/// Layers and heads beyond any model are a lie of the file; a million layers would take their time.
inline constexpr int64_t kMaxLayers = 1000;

}  // namespace unclip::model
