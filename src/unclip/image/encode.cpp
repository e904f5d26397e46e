#include "unclip/image/encode.h"

#include "unclip/image/decode.h"
#include "unclip/image/pixels.h"
#include "unclip/image/raw_picture.h"
#include "unclip/io/file.h"

namespace unclip::image {
namespace {

enum class Format : uint8_t { png, jpeg, webp };

Format format_of(const std::filesystem::path& path) {
  std::string ending = path.extension().string();
  for (char& c : ending) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (ending == ".png") return Format::png;
  if (ending == ".jpg" || ending == ".jpeg") return Format::jpeg;
  check(ending == ".webp", ErrorKind::io, path.string(),
        " does not end like a picture: expected .png, .jpg, .jpeg or .webp");
  return Format::webp;
}

PixelView view(const torch::Tensor& pixels) {
  return {pixels.const_data_ptr<uint8_t>(), pixels.size(0), pixels.size(1), pixels.size(2)};
}

void check_quality(int quality, int least) {
  check(quality >= least && quality <= 100, ErrorKind::data, "quality is ", quality, ", expected ", least,
        " to 100");
}

}  // namespace

std::vector<uint8_t> encode_png(const torch::Tensor& pixels, const std::map<std::string, std::string>& text) {
  const torch::Tensor in = checked_pixels(pixels);
  return encode_raw_png(view(in), text);
}

std::vector<uint8_t> encode_jpeg(const torch::Tensor& pixels, int quality) {
  check_quality(quality, 1);
  const torch::Tensor in = flatten_on(pixels);
  return encode_raw_jpeg(view(in), quality);
}

std::vector<uint8_t> encode_webp(const torch::Tensor& pixels, std::optional<int> quality) {
  if (quality) check_quality(*quality, 0);
  const torch::Tensor in = checked_pixels(pixels);
  return encode_raw_webp(view(in), quality.value_or(-1));
}

void check_picture_target(const std::filesystem::path& path, bool force) {
  format_of(path);
  io::check_writable_target(path, force);
}

void write_picture(const std::filesystem::path& path,
                   const torch::Tensor& pixels,
                   const WriteOptions& options) {
  constexpr int kJpegQuality = 95;
  check_picture_target(path, options.force);
  const auto encode = [&] {
    switch (format_of(path)) {
      case Format::png:
        return encode_png(pixels, options.text);
      case Format::jpeg:
        return encode_jpeg(pixels, options.quality.value_or(kJpegQuality));
      default:
        return encode_webp(pixels, options.quality);
    }
  };
  io::write_file_atomically(path, std::span<const uint8_t>(encode()));
}

}  // namespace unclip::image
