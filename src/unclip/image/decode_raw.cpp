#include <string_view>

#include "unclip/image/raw_picture.h"

namespace unclip::image {

RawPicture decode_raw(const Source& source) {
  const std::string_view bytes(reinterpret_cast<const char*>(source.bytes.data()), source.bytes.size());
  if (bytes.starts_with("\x89PNG\r\n\x1A\n")) return decode_png(source);
  if (bytes.starts_with("\xFF\xD8\xFF")) return decode_jpeg(source);
  if (bytes.starts_with("RIFF") && bytes.size() >= 12 && bytes.substr(8, 4) == "WEBP")
    return decode_webp(source);
  fail(ErrorKind::data, source.name, " is no picture that can be read here: expected PNG, JPEG or WebP",
       bytes.empty() ? ", got an empty file" : "");
}

}  // namespace unclip::image
