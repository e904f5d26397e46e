#include <png.h>

#include <algorithm>
#include <csetjmp>
#include <cstring>

#include "unclip/image/raw_picture.h"

namespace unclip::image {
namespace {

/// As PngReader: what must survive libpng's longjmp lives here.
struct PngWriter {
  PngWriter() {
    png = png_create_write_struct(PNG_LIBPNG_VER_STRING, this, &on_error, &on_warning);
    info = png != nullptr ? png_create_info_struct(png) : nullptr;
    check(info != nullptr, ErrorKind::io, "no memory to encode a PNG picture");
  }
  ~PngWriter() { png_destroy_write_struct(&png, &info); }
  PngWriter(const PngWriter&) = delete;
  PngWriter& operator=(const PngWriter&) = delete;

  static void on_error(png_structp png, png_const_charp message) {
    auto* self = static_cast<PngWriter*>(png_get_error_ptr(png));
    std::strncpy(self->message, message, sizeof self->message - 1);
    std::longjmp(self->jump, 1);
  }
  static void on_warning(png_structp /*png*/, png_const_charp /*message*/) {}
  static void on_write(png_structp png, png_bytep bytes, size_t size) {
    auto* self = static_cast<PngWriter*>(png_get_io_ptr(png));
    self->out.insert(self->out.end(), bytes, bytes + size);
  }
  static void on_flush(png_structp /*png*/) {}

  bool write(const PixelView& view);

  png_structp png = nullptr;
  png_infop info = nullptr;
  std::jmp_buf jump{};
  char message[200] = "";
  std::vector<uint8_t> out;
  std::vector<std::string> strings;  // keywords and texts, in pairs
  std::vector<png_text> chunks;
};

bool PngWriter::write(const PixelView& view) {
  if (setjmp(jump) != 0) return false;
  png_set_write_fn(png, this, &on_write, &on_flush);
  png_set_IHDR(png, info, static_cast<png_uint_32>(view.width), static_cast<png_uint_32>(view.height), 8,
               view.channels == 4 ? PNG_COLOR_TYPE_RGB_ALPHA : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_set_text(png, info, chunks.data(), static_cast<int>(chunks.size()));
  png_write_info(png, info);
  for (int64_t y = 0; y < view.height; ++y) png_write_row(png, view.pixels + y * view.width * view.channels);
  png_write_end(png, info);
  return true;
}

bool is_ascii(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

void check_text(const std::string& keyword, const std::string& text) {
  check(!keyword.empty() && keyword.size() <= 79 && is_ascii(keyword) && keyword.front() != ' ' &&
            keyword.back() != ' ' && keyword.find("  ") == std::string::npos &&
            std::all_of(keyword.begin(), keyword.end(), [](char c) { return c >= ' ' && c != 0x7F; }),
        ErrorKind::data, "PNG keyword '", keyword,
        "' is not 1 to 79 printable ASCII characters with single spaces");
  check(text.find('\0') == std::string::npos, ErrorKind::data, "the PNG text '", keyword,
        "' has a zero byte, which the format cannot hold");
}

}  // namespace

std::vector<uint8_t> encode_raw_png(const PixelView& view, const Text& text) {
  PngWriter writer;
  writer.strings.reserve(2 * text.size());  // the chunks point into it
  for (const auto& [keyword, content] : text) {
    check_text(keyword, content);
    png_text chunk{};
    chunk.compression = is_ascii(content) ? PNG_TEXT_COMPRESSION_NONE : PNG_ITXT_COMPRESSION_NONE;
    chunk.key = writer.strings.emplace_back(keyword).data();
    chunk.text = writer.strings.emplace_back(content).data();
    writer.chunks.push_back(chunk);
  }
  check(writer.write(view), ErrorKind::data, "a picture cannot be encoded as PNG: ", writer.message);
  return std::move(writer.out);
}

}  // namespace unclip::image
