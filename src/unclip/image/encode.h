// Pictures into PNG, JPEG and WebP files. `pixels` is uint8 [H, W, 3 or 4] throughout.
#pragma once
#include <torch/types.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace unclip::image {

/// `text` becomes tEXt chunks, or iTXt where it is not ASCII: UTF-8 under keywords of 1 to 79 printable ASCII
/// characters, else Error(data).
std::vector<uint8_t> encode_png(const torch::Tensor& pixels,
                                const std::map<std::string, std::string>& text = {});
/// `quality` 1 to 100, else Error(data); transparent pictures are put on white.
std::vector<uint8_t> encode_jpeg(const torch::Tensor& pixels, int quality);
/// `quality` 0 to 100, else Error(data); without one nothing is lost. At most 16383 pixels a side.
std::vector<uint8_t> encode_webp(const torch::Tensor& pixels, std::optional<int> quality = std::nullopt);

struct WriteOptions {
  std::map<std::string, std::string> text = {};  // only PNG files keep it
  std::optional<int> quality = std::nullopt;     // JPEG: 95 unless given; WebP: lossless unless given
  bool force = false;                            // may replace an existing file
};

/// Error(io) unless a picture may be written to `path`: its ending is .png, .jpg, .jpeg or .webp, and see
/// io::check_writable_target. To be asked before long work.
void check_picture_target(const std::filesystem::path& path, bool force);
/// Encodes by the ending of `path` and writes atomically.
void write_picture(const std::filesystem::path& path,
                   const torch::Tensor& pixels,
                   const WriteOptions& options = {});

}  // namespace unclip::image
