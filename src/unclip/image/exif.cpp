#include <optional>

#include "unclip/image/raw_picture.h"

namespace unclip::image {
namespace {

/// Numbers at checked offsets, in the byte order that the block names.
class Reader {
 public:
  explicit Reader(std::span<const uint8_t> block) : block_(block), big_(!block.empty() && block[0] == 'M') {}
  std::optional<uint32_t> number(size_t at, size_t bytes) const {
    if (at > block_.size() || block_.size() - at < bytes) return std::nullopt;
    uint32_t value = 0;
    for (size_t i = 0; i < bytes; ++i) value = (value << 8) | block_[at + (big_ ? i : bytes - 1 - i)];
    return value;
  }

 private:
  std::span<const uint8_t> block_;
  bool big_;
};

}  // namespace

// TIFF 6.0: byte order, 42, offset of the directory; a directory is a count and entries of 12 bytes.
int exif_orientation(std::span<const uint8_t> block) {
  constexpr uint32_t kOrientation = 0x0112, kShort = 3;
  const Reader reader(block);
  const bool is_tiff = block.size() >= 8 && block[0] == block[1] && (block[0] == 'I' || block[0] == 'M') &&
                       reader.number(2, 2) == 42U;
  if (!is_tiff) return 1;
  const size_t directory = reader.number(4, 4).value_or(0);
  const uint32_t count = reader.number(directory, 2).value_or(0);
  for (size_t at = directory + 2, i = 0; i < count; ++i, at += 12) {
    const auto tag = reader.number(at, 2);
    if (!tag) break;
    if (*tag != kOrientation || reader.number(at + 2, 2) != kShort) continue;
    const uint32_t value = reader.number(at + 8, 2).value_or(1);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

}  // namespace unclip::image
