// Pictures one after another: animated GIF and WebP, which repeat for ever.
#pragma once
#include <torch/types.h>

#include <filesystem>
#include <vector>

namespace unclip::image {

/// How long each frame is shown, in milliseconds; GIF rounds to hundredths of a second.
struct AnimationOptions {
  int64_t frame_ms = 100;
  bool force = false;  // may replace an existing file
};

/// Frames uint8 [H, W, 3 or 4] of one size; transparent ones are put on white. One palette of 256 colours for
/// all frames, so that nothing flickers. Error(shape) for no frames, other sizes or sides above 65535.
std::vector<uint8_t> encode_gif(const std::vector<torch::Tensor>& frames, int64_t frame_ms);
/// The same without loss.
std::vector<uint8_t> encode_animated_webp(const std::vector<torch::Tensor>& frames, int64_t frame_ms);

/// Error(io) unless an animation may be written to `path`: its ending is .gif or .webp, and see
/// io::check_writable_target.
void check_animation_target(const std::filesystem::path& path, bool force);
/// Encodes by the ending of `path` and writes atomically.
void write_animation(const std::filesystem::path& path,
                     const std::vector<torch::Tensor>& frames,
                     const AnimationOptions& options = {});

}  // namespace unclip::image
