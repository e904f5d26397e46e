#include "unclip/image/decode.h"

#include <algorithm>
#include <string_view>

#include "unclip/image/pixels.h"
#include "unclip/image/raw_picture.h"
#include "unclip/io/file.h"

namespace unclip::image {
namespace {

constexpr int64_t kMaxFileBytes = int64_t{1} << 30;

torch::Tensor to_tensor(RawPicture& picture) {
  uint8_t* pixels = picture.pixels.release();
  return torch::from_blob(
      pixels, {picture.height, picture.width, picture.channels},
      [](void* p) { delete[] static_cast<uint8_t*>(p); }, torch::kUInt8);
}

/// EXIF: 2, 4, 5, 7 mirror; 3 turns by a half, 6 and 8 by a quarter; 5 to 8 swap the sides.
torch::Tensor upright(torch::Tensor pixels, int orientation) {
  if (orientation >= 5) pixels = pixels.transpose(0, 1);
  const bool from_right = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
  const bool from_below = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
  if (from_right) pixels = pixels.flip(1);
  if (from_below) pixels = pixels.flip(0);
  return pixels.contiguous();
}

}  // namespace

Picture decode(std::span<const uint8_t> bytes, const std::string& name, int64_t max_pixels) {
  RawPicture raw = decode_raw({bytes, name, max_pixels});
  const torch::Tensor pixels = to_tensor(raw);
  return {upright(pixels, raw.orientation), std::move(raw.text), raw.animated};
}

Picture read_picture(const std::filesystem::path& path, int64_t max_pixels) {
  return decode(io::read_file(path, kMaxFileBytes), path.string(), max_pixels);
}

torch::Tensor flatten_on(const torch::Tensor& pixels, uint8_t level) {
  torch::Tensor in = checked_pixels(pixels);
  if (in.size(2) == 3) return in;
  torch::Tensor out = torch::empty({in.size(0), in.size(1), 3}, torch::kUInt8);
  const uint8_t* rgba = in.const_data_ptr<uint8_t>();
  auto* rgb = out.mutable_data_ptr<uint8_t>();
  for (int64_t i = 0; i < in.size(0) * in.size(1); ++i, rgba += 4, rgb += 3) {
    const uint32_t alpha = rgba[3], ground = level * (255 - alpha) + 127;
    for (int c = 0; c < 3; ++c) rgb[c] = static_cast<uint8_t>((rgba[c] * alpha + ground) / 255);
  }
  return out;
}

}  // namespace unclip::image
