// What a model is made of, whatever its folder looks like. Each layout (formats/: our own model.json, Karlo
// as diffusers stores it, OpenAI's CLIP) is one file that fills this description; all that draws, embeds or
// trains reads nothing else.
#pragma once
#include <algorithm>

#include "unclip/clip/clip.h"
#include "unclip/decoder/config.h"
#include "unclip/image/network.h"
#include "unclip/io/key_map.h"
#include "unclip/model/manifest.h"
#include "unclip/prior/autoregressive_config.h"
#include "unclip/prior/config.h"
#include "unclip/text/tokenizer.h"
#include "unclip/upsampler/config.h"

namespace unclip::model {

/// A file of tensors.
struct WeightsSource {
  std::filesystem::path folder;
  std::string stem = "model";  // see io::find_weights
  std::string prefix{};        // put in front of its names, where a stage joins several files: "text_proj."
  std::string file{};          // or this very file of the folder
};

/// Error(io) if there is none.
std::filesystem::path file_of(const WeightsSource& source);

struct Weights {
  std::vector<WeightsSource> sources;
  io::KeyMap key_map{};  // from the files' names to ours; without rules they are the same
};

/// One network: its shape and where its tensors lie.
template <class Config>
struct StoredNetwork {
  Config config;
  Weights weights;
};

struct StoredUpsampler {
  std::string name;  // "upsampler_256": also names its noise
  StoredNetwork<upsampler::UpsamplerConfig> net;
  std::optional<StoredNetwork<upsampler::UpsamplerConfig>>
      last_step{};  // another net for the last step (Karlo)
};

/// How captions become ids.
struct TextInput {
  std::filesystem::path tokenizer;          // a folder with vocab.json and merges.txt
  std::optional<text::TokenRules> rules{};  // else the folder says, see text::Tokenizer::load
  int64_t context_length = 0;
  std::string null_caption{};  // what stands for no caption in guidance
};

struct Model {
  std::string kind;  // "unclip model", "Karlo, text to image (diffusers)", "CLIP (OpenAI)"
  std::filesystem::path path;
  Manifest manifest{};
  TextInput text{};
  image::Preprocessing preprocessing{};  // of what the image encoder sees
  /// Both towers with the logit scale, where one file holds them; the encoders are then the same, each alone.
  std::optional<StoredNetwork<clip::ClipConfig>> clip{};
  std::optional<StoredNetwork<clip::ClipConfig>> text_encoder{}, image_encoder{};
  std::optional<StoredNetwork<prior::DiffusionPriorConfig>> prior{};
  std::optional<StoredNetwork<prior::AutoregressivePriorConfig>> ar_prior{};
  std::optional<StoredNetwork<decoder::DecoderConfig>> decoder{},
      decoder_inpaint{};                      // the latter fills holes
  std::vector<StoredUpsampler> upsamplers{};  // by size, ascending
  SamplingRules rules{};
  std::vector<std::string> unknown_keys{};  // of foreign configurations: "decoder/config.json: 'colour'"

  /// Null if there is none of that name.
  const StoredUpsampler* find_upsampler(const std::string& name) const {
    const auto found = std::ranges::find(upsamplers, name, &StoredUpsampler::name);
    return found == upsamplers.end() ? nullptr : &*found;
  }
  /// One of a plan's.
  const StoredUpsampler& upsampler(const std::string& name) const { return *find_upsampler(name); }
};

/// Both towers of one file: the model's `clip`, and each encoder alone.
void set_clip(const StoredNetwork<clip::ClipConfig>& clip, Model& model);

/// Opens a model of any layout: a folder, or the one file of a CLIP. Configurations are read, and no weights
/// but the shapes of Kakao's and OpenAI's files, which are the configuration. `vocabulary` is the folder of
/// CLIP's own tokens, for models that come without any. Error(io) if it is no model, Error(config) naming
/// file and key if this program cannot run what it describes.
Model open_model(const std::filesystem::path& path, const std::filesystem::path& vocabulary = {});

/// Whether `path` is a model of a layout that this program knows; it may still be damaged.
bool is_model(const std::filesystem::path& path);

/// Error(data) if the files are damaged or have a token that the model does not know.
text::Tokenizer load_tokenizer(const Model& model);

/// Error(checkpoint) saying which stages there are, unless `part` (of `model`, called `name`) is there.
template <class Part>
const Part& required(const Model& model, const std::optional<Part>& part, const std::string& name) {
  if (!part) fail_missing_stage(model.path, model.manifest, name);
  return *part;
}

}  // namespace unclip::model
