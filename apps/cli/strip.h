// What the commands that make a row of pictures share: `interpolate`, `edit` and `probe` draw frames, show
// them side by side on one strip and can play them as an animation.
#pragma once
#include "apps/cli/sampling_flags.h"

namespace unclip::cli {

struct StripFlags {
  SamplingFlags sampling;
  std::filesystem::path gif, webp;
  bool frames = false;
  int64_t frame_ms = 120;

  /// Flags of the output; those of the drawing are the command's own choice.
  void declare_output(CLI::App& app, const char* default_output);
};

/// A picture beside the frames, or a frame.
struct Tile {
  torch::Tensor pixels;  // uint8 [H, W, 3 or 4]
  std::string label;
};

struct Strip {
  std::vector<Tile> before;  // shown on the strip in front of the frames: what they come from
  std::vector<Tile> frames;  // one per label
  Recipe recipe;             // written into the strip and, with its label, into each frame
  std::vector<std::string> warnings;
};

/// Error(io) unless everything can be written: asked before any work.
void check_strip_targets(const StripFlags& flags, size_t frame_count);
/// Writes strip, frames and animations and tells so on stderr or as --json.
void write_strip(const StripFlags& flags, const Strip& strip, const Context& context);

/// Drawn pictures [N, 3, H, W] as frames that are labelled `prefix` + value.
std::vector<Tile> frames_of(const torch::Tensor& pictures, const std::vector<std::string>& labels);
/// `value` with `digits` behind the point.
std::string figure(double value, int digits);

/// Flags that are common to recipes: model, seed and the settings that were given.
Recipe recipe_of(SamplingFlags& flags);

/// A picture on white, uint8 [H, W, 3].
torch::Tensor read_opaque(const std::filesystem::path& file);
/// The square in the middle of a picture at a side of `size`, for showing it beside what is drawn.
torch::Tensor as_tile(const torch::Tensor& pixels, int64_t size);

}  // namespace unclip::cli
