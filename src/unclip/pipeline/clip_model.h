// A CLIP model as it lies on disk, whatever its layout: our own folder, Hugging Face's, OpenCLIP's, OpenAI's
// file. Each layout is one file of clip_layouts/ that fills this description; all that computes reads nothing
// else.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "unclip/clip/clip.h"
#include "unclip/image/network.h"
#include "unclip/io/key_map.h"
#include "unclip/text/tokenizer.h"

namespace unclip::pipeline {

struct ClipModel {
  std::string kind;  // "CLIP (Hugging Face)"
  clip::ClipConfig config{};
  clip::Towers towers = clip::Towers::both;
  std::filesystem::path weights;  // for io::read_weights
  io::KeyMap key_map{};           // from the file's names to ours; without rules they are the same
  image::Preprocessing preprocessing{};
  std::filesystem::path tokenizer;  // a folder with vocab.json and merges.txt
  text::TokenRules token_rules = text::TokenRules::hugging_face;
  std::vector<std::string> unknown_keys{};  // of foreign configurations, which had no effect
};

/// Reads the configuration of a folder or file, and no weights but OpenAI's, whose shapes are the
/// configuration. `vocabulary` is the folder of CLIP's own tokens, for models that come without any.
/// Error(io) if nothing is there or it is no CLIP model, Error(config) naming file and key if this program
/// cannot run what it describes.
ClipModel open_clip(const std::filesystem::path& path, const std::filesystem::path& vocabulary);

/// Whether a layout of a CLIP fits `path`.
bool is_clip(const std::filesystem::path& path);

/// The weights under our names in the file's dtypes. Error(checkpoint) names the file and its keys that are
/// missing, unexpected or misshapen.
io::NamedTensors read_clip_weights(const ClipModel& model);

/// The network, ready to run in float32 or bfloat16.
clip::Clip load_clip(const ClipModel& model, torch::ScalarType dtype);

/// Error(data) if the files are damaged or have a token that the model does not know.
text::Tokenizer load_tokenizer(const ClipModel& model);

}  // namespace unclip::pipeline
