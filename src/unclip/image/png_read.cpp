#include <png.h>

#include <csetjmp>
#include <cstring>

#include "unclip/image/raw_picture.h"

namespace unclip::image {
namespace {

constexpr png_alloc_size_t kMaxChunk = 64U << 20;  // of a text or colour profile, unpacked
constexpr png_uint_32 kMaxChunks = 1000;

/// What libpng's callbacks see. Errors leave libpng by longjmp, so nothing with a destructor may be created
/// between setjmp and the call that fails: everything lives here.
struct PngReader {
  explicit PngReader(const Source& s) : source(s) {
    png = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, &on_error, &on_warning);
    info = png != nullptr ? png_create_info_struct(png) : nullptr;
    end = png != nullptr ? png_create_info_struct(png) : nullptr;
    check(info != nullptr && end != nullptr, ErrorKind::io, "no memory to decode ", s.name);
  }
  ~PngReader() { png_destroy_read_struct(&png, &info, &end); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  static void on_error(png_structp png, png_const_charp message) {
    auto* self = static_cast<PngReader*>(png_get_error_ptr(png));
    std::strncpy(self->message, message, sizeof self->message - 1);
    std::longjmp(self->jump, 1);
  }
  static void on_warning(png_structp /*png*/, png_const_charp /*message*/) {}
  static void on_read(png_structp png, png_bytep out, size_t size) {
    auto* self = static_cast<PngReader*>(png_get_io_ptr(png));
    if (size > self->source.bytes.size() - self->at) png_error(png, "it is cut off");
    std::memcpy(out, self->source.bytes.data() + self->at, size);
    self->at += size;
  }

  bool read_header();
  bool read_rows();

  const Source& source;
  size_t at = 0;
  png_structp png = nullptr;
  png_infop info = nullptr, end = nullptr;
  std::jmp_buf jump{};
  char message[200] = "";
  RawPicture picture;
  std::vector<png_bytep> rows;
};

/// Size and channels; false after an error.
bool PngReader::read_header() {
  if (setjmp(jump) != 0) return false;
  png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // Source::check_size limits pictures
  png_set_chunk_malloc_max(png, kMaxChunk);
  png_set_chunk_cache_max(png, kMaxChunks);
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
  png_set_crc_action(png, PNG_CRC_QUIET_USE, PNG_CRC_QUIET_USE);  // no fuzzer guesses checksums
#endif
  png_set_read_fn(png, this, &on_read);
  png_read_info(png, info);
  picture.height = png_get_image_height(png, info);
  picture.width = png_get_image_width(png, info);
  const bool has_alpha = (png_get_color_type(png, info) & PNG_COLOR_MASK_ALPHA) != 0 ||
                         png_get_valid(png, info, PNG_INFO_tRNS) != 0;
  picture.channels = has_alpha ? 4 : 3;
  return true;
}

/// The picture as 8-bit RGB or RGBA, and what follows it; false after an error. libpng makes room for rows
/// here, so the size must have been checked.
bool PngReader::read_rows() {
  if (setjmp(jump) != 0) return false;
  png_set_expand(png);  // palettes, fewer than 8 bits, transparent colours
  png_set_scale_16(png);
  png_set_gray_to_rgb(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  if (png_get_rowbytes(png, info) != picture.row_bytes())
    png_error(png, "its colour type contradicts itself");
  png_read_image(png, rows.data());
  png_read_end(png, end);
  return true;
}

std::string latin1_to_utf8(const char* text) {
  std::string result;
  for (; *text != '\0'; ++text) {
    const auto c = static_cast<unsigned char>(*text);
    if (c < 0x80) {
      result += *text;
    } else {
      result += static_cast<char>(0xC0 | (c >> 6));
      result += static_cast<char>(0x80 | (c & 0x3F));
    }
  }
  return result;
}

void collect_text(png_structp png, png_infop info, Text& text) {
  png_textp chunks = nullptr;
  int count = 0;
  png_get_text(png, info, &chunks, &count);
  for (int i = 0; i < count; ++i) {
    if (chunks[i].text == nullptr) continue;
    const bool is_utf8 = chunks[i].compression >= PNG_ITXT_COMPRESSION_NONE;
    text[latin1_to_utf8(chunks[i].key)] =
        is_utf8 ? std::string(chunks[i].text) : latin1_to_utf8(chunks[i].text);
  }
}

int orientation(png_structp png, png_infop info) {
  png_uint_32 size = 0;
  png_bytep block = nullptr;
  return png_get_eXIf_1(png, info, &size, &block) != 0 ? exif_orientation({block, size}) : 1;
}

}  // namespace

RawPicture decode_png(const Source& source) {
  PngReader reader(source);
  if (!reader.read_header()) source.damaged("PNG", reader.message);
  RawPicture& picture = reader.picture;
  source.check_size(picture.height, picture.width);
  picture.allocate();
  for (int64_t y = 0; y < picture.height; ++y) {
    reader.rows.push_back(picture.pixels.get() + static_cast<size_t>(y) * picture.row_bytes());
  }
  if (!reader.read_rows()) source.damaged("PNG", reader.message);
  collect_text(reader.png, reader.info, picture.text);
  collect_text(reader.png, reader.end, picture.text);
  picture.orientation = std::max(orientation(reader.png, reader.info), orientation(reader.png, reader.end));
  return std::move(picture);
}

}  // namespace unclip::image
