// What `embed` and `score` share: a CLIP, and the pictures and captions it is given.
#pragma once
#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "apps/cli/command.h"
#include "unclip/pipeline/clip_encoder.h"

namespace unclip::cli {

struct ClipInputs {
  std::vector<std::string> arguments;
  std::filesystem::path model;
  std::string dtype = "fp32";
  int64_t batch = 16;

  // Filled by sort_arguments:
  std::vector<std::filesystem::path> pictures;
  std::vector<std::string> captions;

  void declare(CLI::App& app);
  /// An argument that is an existing path is a picture, a folder its pictures by name, "-" the lines of stdin
  /// as captions, anything else a caption. Error(io) for what looks like a picture's path but is none.
  void sort_arguments();
  /// Error(usage) unless --dtype is known.
  torch::ScalarType compute_dtype() const;
  pipeline::ClipEncoder open() const;
};

/// Ids of the captions; those that were cut are told on stderr.
torch::Tensor tokenize_captions(const pipeline::ClipEncoder& clip, const ClipInputs& inputs);

/// Their embeddings as the model gives them; cut captions are told on stderr.
torch::Tensor embed_captions(const pipeline::ClipEncoder& clip,
                             const ClipInputs& inputs,
                             const Context& context);
torch::Tensor embed_pictures(const pipeline::ClipEncoder& clip,
                             const ClipInputs& inputs,
                             const Context& context);

}  // namespace unclip::cli
