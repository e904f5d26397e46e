// Pictures from PNG, JPEG and WebP files. In memory a picture is a uint8 tensor [H, W, C]: C = 3 is RGB, 4 is
// RGBA with alpha not premultiplied.
#pragma once
#include <torch/types.h>

#include <filesystem>
#include <map>
#include <span>
#include <string>

namespace unclip::image {

struct Picture {
  torch::Tensor pixels;                     // uint8 [H, W, 3 or 4]
  std::map<std::string, std::string> text;  // of a PNG file: keyword → UTF-8
  bool animated = false;                    // a WebP file with more frames than this
};

inline constexpr int64_t kMaxPixels = 100'000'000;

/// Knows the kind by the first bytes and turns the picture upright as its EXIF says; of an animation, the
/// first frame. Error(data) naming `name` if it is of another kind, damaged, cut off, or has more than
/// `max_pixels`.
Picture decode(std::span<const uint8_t> bytes, const std::string& name, int64_t max_pixels = kMaxPixels);
Picture read_picture(const std::filesystem::path& path, int64_t max_pixels = kMaxPixels);

/// The RGB picture that is seen on a grey of this `level` (white: 255); RGB stays as it is.
torch::Tensor flatten_on(const torch::Tensor& pixels, uint8_t level = 255);

}  // namespace unclip::image
