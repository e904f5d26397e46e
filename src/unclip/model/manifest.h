// Our own layout: model.json says what a model is and where its stages lie; each stage is config.json +
// model.safetensors.
#pragma once
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "unclip/base/config.h"

namespace unclip::model {

/// How the numbers of a request are read where released models differ from ours.
struct SamplingRules {
  std::string step_spacing{};    // in front of a plain number of steps: "" (sections) or "linspace"
  bool shared_guidance = false;  // guidance is off altogether unless a scale of prior or decoder exceeds 1

  static void fields(auto& self, auto&& field) {
    field("step_spacing", self.step_spacing, "in front of a plain number of steps: nothing, or linspace");
    field("shared_guidance", self.shared_guidance, "guidance is on for both stages or for none");
  }
  bool operator==(const SamplingRules&) const = default;
};

/// model.json. Stages: "clip" (or its towers, "text_encoder" and "image_encoder"), "prior", "ar_prior",
/// "decoder", "decoder_inpaint", "upsampler_256", "upsampler_256_last_step", "upsampler_1024".
struct Manifest {
  std::string name, version, licence, card;
  std::vector<std::string> attribution, trained_on;
  std::map<std::string, std::string> stages;  // stage -> folder inside the model directory
  SamplingRules sampling{};
  int64_t context_length = 0;  // of captions; 0: as many as CLIP has positions
};

class ModelDirectory {
 public:
  /// Error(io) if `path` holds no model.json, Error(config) if that is damaged or of another format.
  explicit ModelDirectory(std::filesystem::path path);

  const Manifest& manifest() const { return manifest_; }
  const std::filesystem::path& path() const { return path_; }
  bool has(const std::string& stage) const { return manifest_.stages.contains(stage); }
  /// Error(checkpoint) saying which stages there are, if this one is missing.
  std::filesystem::path stage(const std::string& name) const;
  std::filesystem::path tokenizer() const { return path_ / "tokenizer"; }

 private:
  std::filesystem::path path_;
  Manifest manifest_;
};

/// Error(checkpoint): the model in `path` lacks the stage `name`, and which it has.
[[noreturn]] void fail_missing_stage(const std::filesystem::path& path,
                                     const Manifest& manifest,
                                     const std::string& name);

/// A manifest without stages, from JSON with any of name, version, licence, card (texts), attribution and
/// trained_on (lists). Error(config) names an unknown key.
Manifest read_card(const std::filesystem::path& file);

void write_manifest(const std::filesystem::path& model, const Manifest& manifest);

/// The text of a small file such as config.json.
std::string read_config_text(const std::filesystem::path& file);

/// The configuration in a stage's folder. Error(config) names the file and the key.
template <class Config>
Config read_stage_config(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "config.json";
  return config_from_json<Config>(read_config_text(file), file.string());
}

}  // namespace unclip::model
