#include <turbojpeg.h>

#include <cstring>

#include "unclip/image/raw_picture.h"

namespace unclip::image {
namespace {

using Handle = std::unique_ptr<void, decltype(&tjDestroy)>;

/// The EXIF block of a JPEG file: the first APP1 segment that begins with "Exif".
std::span<const uint8_t> exif_block(std::span<const uint8_t> bytes) {
  constexpr uint8_t kExif[] = {'E', 'x', 'i', 'f', 0, 0};
  size_t at = 2;
  while (at + 4 <= bytes.size() && bytes[at] == 0xFF) {
    const uint8_t marker = bytes[at + 1];
    const size_t length = static_cast<size_t>(bytes[at + 2]) << 8 | bytes[at + 3];
    const bool is_scan = marker == 0xDA || marker == 0xD9;
    if (is_scan || length < 2 || length > bytes.size() - at - 2) break;
    const auto segment = bytes.subspan(at + 4, length - 2);
    if (marker == 0xE1 && segment.size() >= sizeof kExif &&
        std::memcmp(segment.data(), kExif, sizeof kExif) == 0) {
      return segment.subspan(sizeof kExif);
    }
    at += 2 + length;
  }
  return {};
}

// (a · b) / 255 rounded, without a division
uint8_t scaled(uint32_t a, uint32_t b) {
  const uint32_t product = a * b + 128;
  return static_cast<uint8_t>((product + (product >> 8)) >> 8);
}

/// Inverted CMYK, as Adobe's programs and hence practically all JPEG files hold it: 255 is no ink.
void cmyk_to_rgb(const uint8_t* cmyk, RawPicture& picture) {
  uint8_t* rgb = picture.pixels.get();
  for (int64_t i = 0; i < picture.height * picture.width; ++i, cmyk += 4, rgb += 3) {
    for (int c = 0; c < 3; ++c) rgb[c] = scaled(cmyk[c], cmyk[3]);
  }
}

/// Rows into `out`; what went wrong, or "". Stray bytes between segments are common and lose nothing.
std::string decompress(
    void* handle, const Source& source, const RawPicture& picture, TJPF format, uint8_t* out) {
  const auto run = [&](int flags) {
    return tjDecompress2(handle, source.bytes.data(), source.bytes.size(), out,
                         static_cast<int>(picture.width), 0, static_cast<int>(picture.height), format,
                         flags | TJFLAG_LIMITSCANS | TJFLAG_ACCURATEDCT);
  };
  const auto is_harmless = [&] {
    return tjGetErrorCode(handle) == TJERR_WARNING &&
           std::strstr(tjGetErrorStr2(handle), "extraneous bytes") != nullptr;
  };
  if (run(TJFLAG_STOPONWARNING) == 0) return "";
  if (is_harmless() && (run(0) == 0 || is_harmless())) return "";
  return tjGetErrorStr2(handle);
}

}  // namespace

RawPicture decode_jpeg(const Source& source) {
  const Handle handle(tjInitDecompress(), &tjDestroy);
  check(handle != nullptr, ErrorKind::io, "no memory to decode ", source.name);
  int width = 0, height = 0, subsampling = 0, colour_space = 0;
  const int status = tjDecompressHeader3(handle.get(), source.bytes.data(), source.bytes.size(), &width,
                                         &height, &subsampling, &colour_space);
  if (status != 0) source.damaged("JPEG", tjGetErrorStr2(handle.get()));
  if (width <= 0 || height <= 0) source.damaged("JPEG", "it holds no picture");  // only tables, or nothing
  source.check_size(height, width);
  RawPicture picture{.height = height, .width = width, .channels = 3};
  picture.orientation = exif_orientation(exif_block(source.bytes));
  picture.allocate();
  const bool is_cmyk = colour_space == TJCS_CMYK || colour_space == TJCS_YCCK;
  std::unique_ptr<uint8_t[]> inks;
  if (is_cmyk) inks = std::make_unique_for_overwrite<uint8_t[]>(picture.byte_count() / 3 * 4);
  const std::string problem = decompress(handle.get(), source, picture, is_cmyk ? TJPF_CMYK : TJPF_RGB,
                                         is_cmyk ? inks.get() : picture.pixels.get());
  if (!problem.empty()) source.damaged("JPEG", problem);
  if (is_cmyk) cmyk_to_rgb(inks.get(), picture);
  return picture;
}

std::vector<uint8_t> encode_raw_jpeg(const PixelView& view, int quality) {
  constexpr int kFullChroma = 90;  // from this quality on colours are as sharp as brightness
  const Handle handle(tjInitCompress(), &tjDestroy);
  check(handle != nullptr, ErrorKind::io, "no memory to encode a JPEG picture");
  unsigned char* out = nullptr;
  unsigned long size = 0;  // NOLINT(google-runtime-int): turbojpeg's type
  const int status = tjCompress2(
      handle.get(), view.pixels, static_cast<int>(view.width), 0, static_cast<int>(view.height), TJPF_RGB,
      &out, &size, quality >= kFullChroma ? TJSAMP_444 : TJSAMP_420, quality, TJFLAG_ACCURATEDCT);
  const std::unique_ptr<unsigned char, decltype(&tjFree)> owner(out, &tjFree);
  check(status == 0, ErrorKind::data, "a picture cannot be encoded as JPEG: ", tjGetErrorStr2(handle.get()));
  return {out, out + size};
}

}  // namespace unclip::image
