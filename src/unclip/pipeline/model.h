// What a model is made of, whatever its folder looks like. Each layout (layouts/: our own model.json, Karlo
// as diffusers stores it) is one file that fills this description; all that draws reads nothing else.
#pragma once
#include <algorithm>

#include "unclip/clip/clip.h"
#include "unclip/decoder/config.h"
#include "unclip/image/network.h"
#include "unclip/io/key_map.h"
#include "unclip/pipeline/model_directory.h"
#include "unclip/prior/autoregressive_config.h"
#include "unclip/prior/config.h"
#include "unclip/text/tokenizer.h"
#include "unclip/upsampler/config.h"

namespace unclip::pipeline {

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
struct Stage {
  Config config;
  Weights weights;
};

struct UpsamplerStage {
  std::string name;  // "upsampler_256": also names its noise
  Stage<upsampler::UpsamplerConfig> net;
  std::optional<Stage<upsampler::UpsamplerConfig>> last_step{};  // another net for the last step (Karlo)
};

/// How captions become ids.
struct TextInput {
  std::filesystem::path tokenizer;          // a folder with vocab.json and merges.txt
  std::optional<text::TokenRules> rules{};  // else the folder says, see text::Tokenizer::load
  int64_t context_length = 0;
  std::string null_caption{};  // what stands for no caption in guidance
};

struct Model {
  std::string kind;  // "unclip model", "Karlo, text to image (diffusers)"
  std::filesystem::path path;
  Manifest manifest{};
  TextInput text{};
  std::optional<image::Preprocessing> preprocessing{};  // none: the picture is resized as it is (our CLIP)
  std::optional<Stage<clip::ClipConfig>> text_encoder{}, image_encoder{};
  std::optional<Stage<prior::DiffusionPriorConfig>> prior{};
  std::optional<Stage<prior::AutoregressivePriorConfig>> ar_prior{};
  std::optional<Stage<decoder::DecoderConfig>> decoder{}, decoder_inpaint{};  // the latter fills holes
  std::vector<UpsamplerStage> upsamplers{};                                   // by size, ascending
  DrawingRules rules{};
  std::vector<std::string> unknown_keys{};  // of foreign configurations: "decoder/config.json: 'colour'"

  /// The upsampler of that name, one of a plan's.
  const UpsamplerStage& upsampler(const std::string& name) const {
    return *std::ranges::find(upsamplers, name, &UpsamplerStage::name);
  }
};

/// Opens a folder of any layout, reading its configurations and no weights but the shapes of Kakao's, which
/// are the configuration. `vocabulary` is the folder of CLIP's own tokens, for models that come without any.
/// Error(io) if it is no model, Error(config) naming file and key if this program cannot run what it
/// describes.
Model open_model(const std::filesystem::path& path, const std::filesystem::path& vocabulary = {});

text::Tokenizer load_tokenizer(const TextInput& text);

/// Error(checkpoint) saying which stages there are, unless `part` (of `model`, called `name`) is there.
template <class Part>
const Part& required(const Model& model, const std::optional<Part>& part, const std::string& name) {
  if (!part) fail_missing_stage(model.path, model.manifest, name);
  return *part;
}

/// Loads the weights into `module` and freezes it; floating-point parameters are converted to `dtype`, in
/// which they are used, statistics are not. Error(checkpoint) names the file and its keys that are missing,
/// unexpected or misshapen. With `mapped`, matrices stay where they lie, and those on a mapped file are added
/// to it: layers convert them when they first use them, and the pages may then go (memory.h).
void load_frozen(torch::nn::Module& module,
                 const Weights& weights,
                 torch::ScalarType dtype,
                 std::vector<torch::Tensor>* mapped = nullptr);

/// A stage's tensors under our names, in the types of its files and checked as in load_frozen; nothing is
/// copied but what is joined or rearranged.
io::NamedTensors read_tensors(const torch::nn::Module& module, const Weights& weights);

template <class Net, class Config, class... Arguments>
io::NamedTensors read_tensors(const Stage<Config>& stage, Arguments... arguments) {
  const nn::ParameterDevice shapes_only(torch::kMeta);
  return read_tensors(*Net(stage.config, arguments...), stage.weights);
}

/// The network of a stage, ready to run. `Net` is a module holder that is made from `Config`.
template <class Net, class Config, class... Arguments>
Net load_net(const Stage<Config>& stage, torch::ScalarType dtype, Arguments... arguments) {
  Net net(stage.config, arguments...);
  load_frozen(*net, stage.weights, dtype);
  return net;
}

}  // namespace unclip::pipeline
