// What the decoders make and the encoders take, without LibTorch (so that the parsers can be fuzzed alone).
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "unclip/base/error.h"

namespace unclip::image {

using Text = std::map<std::string, std::string>;  // keyword → UTF-8

/// Rows of interleaved 8-bit values: 3 channels RGB or 4 channels RGBA, alpha not premultiplied.
struct RawPicture {
  int64_t height = 0, width = 0, channels = 0;
  std::unique_ptr<uint8_t[]> pixels;
  Text text;
  bool animated = false;  // the first of several frames
  int orientation = 1;    // EXIF's 1 to 8: how the stored picture must be turned to be upright

  size_t row_bytes() const { return static_cast<size_t>(width * channels); }
  size_t byte_count() const { return static_cast<size_t>(height) * row_bytes(); }
  /// Pages that no decoder writes stay untouched memory.
  void allocate() { pixels = std::make_unique_for_overwrite<uint8_t[]>(byte_count()); }
};

/// A picture in memory as the encoders see it.
struct PixelView {
  const uint8_t* pixels;
  int64_t height, width, channels;
};

/// What is being decoded, for its errors.
struct Source {
  std::span<const uint8_t> bytes;
  const std::string& name;
  int64_t max_pixels;

  /// Error(data) unless a picture of this size may be decoded.
  void check_size(int64_t height, int64_t width) const {
    check(height > 0 && width > 0 && height <= max_pixels / width, ErrorKind::data, name, " has ", width,
          " × ", height, " pixels, expected at most ", max_pixels / 1'000'000, " million in all");
  }
  [[noreturn]] void damaged(const char* format, const std::string& why) const {
    fail(ErrorKind::data, name, " is a damaged ", format, " picture: ", why);
  }
};

RawPicture decode_png(const Source& source);
RawPicture decode_jpeg(const Source& source);
RawPicture decode_webp(const Source& source);
/// By the file's first bytes. Error(data) if it is of no known kind, damaged or too large.
RawPicture decode_raw(const Source& source);

std::vector<uint8_t> encode_raw_png(const PixelView& view, const Text& text);
std::vector<uint8_t> encode_raw_jpeg(const PixelView& view, int quality);
/// `quality` 0 to 100; nothing is lost if it is negative.
std::vector<uint8_t> encode_raw_webp(const PixelView& view, double quality);

/// The orientation 1 to 8 that an EXIF block (from "II" or "MM" on) states, 1 if it states none.
int exif_orientation(std::span<const uint8_t> block);

}  // namespace unclip::image
