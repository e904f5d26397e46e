// The flags that `generate` and `vary` share, and how their pictures reach the disk.
#pragma once
#include <CLI/CLI.hpp>
#include <filesystem>
#include <map>

#include "apps/cli/command.h"
#include "apps/cli/stage_log.h"
#include "unclip/pipeline/unclip.h"

namespace unclip::cli {

struct SamplingFlags {
  std::filesystem::path model;
  std::optional<uint64_t> seed;
  int64_t n = 1;
  std::optional<int64_t> size;  // absent: the model's usual one
  std::string steps, prior_steps, upsampler_steps;
  std::optional<int64_t> candidates;
  std::optional<double> guidance, prior_guidance, temperature, top_p, eta;
  std::string sampler, prior_sampler, upsampler_sampler;
  std::string prior = "diffusion";
  std::string dtype = "auto";
  std::string device = "cpu";
  std::filesystem::path noise, dump;  // safetensors files; empty: none
  std::string memory;                 // a budget; empty: none
  std::filesystem::path output;
  bool force = false;

  /// Of the model, the decoder and the upsamplers: declare_model, --n, --candidates and declare_sampler.
  void declare_drawing(CLI::App& app);
  /// All but --n and those of the sampler.
  void declare_model(CLI::App& app);
  /// All but those, --seed and --guidance.
  void declare_settings(CLI::App& app);
  /// Of those, the ones of the model and its upsamplers; --size is `of_size`.
  void declare_enlarging(CLI::App& app, const char* of_size);
  void declare_seed(CLI::App& app);
  void declare_candidates(CLI::App& app);
  /// Of the decoder's sampler.
  void declare_sampler(CLI::App& app);
  void declare_prior(CLI::App& app);
  /// Of repeating another implementation's run: --noise and --dump.
  void declare_recording(CLI::App& app);
  /// Of a budget: --memory.
  void declare_memory(CLI::App& app);
  void declare_output(CLI::App& app, const char* default_output);
  /// Error(usage) for values that no model understands.
  pipeline::SamplingOptions sampling() const;
  torch::ScalarType compute_dtype() const;
  /// The model of --model, within --memory.
  pipeline::Unclip open(torch::ScalarType compute_dtype) const;
  /// seed, seed + 1, … for `count` pictures; without --seed the first is drawn. Error(usage) for --seed with
  /// --noise.
  std::vector<uint64_t> seeds(size_t count);
};

inline constexpr const char* kRecipeKeyword = "unclip";

/// What is written into a picture so that `--from-image` can repeat it.
using Recipe = std::map<std::string, std::string>;

/// The recipe in a picture's text, with keys of flags and "caption". Error(data) if the picture has none.
Recipe read_recipe(const std::filesystem::path& picture);

struct Output {
  const pipeline::Pictures& pictures;
  std::vector<std::string> captions;  // one per picture; empty for variations
  std::vector<uint64_t> seeds;        // one per picture
  Recipe recipe;                      // common to all
  std::vector<StageRecord> stages{};  // how it was drawn
};

/// Where the pictures will go: OUT itself for one; OUT-1, OUT-2, … and OUT-sheet for several.
std::vector<std::filesystem::path> target_names(const SamplingFlags& flags, size_t count);
/// Error(io) unless all of them, and the --dump, can be written: asked before any work.
void check_targets(const SamplingFlags& flags, size_t count);
/// Writes the pictures, for several the sheet, and the --dump; tells what was written on stderr or as --json.
void write_output(const SamplingFlags& flags, const Output& output, const Context& context);

}  // namespace unclip::cli
