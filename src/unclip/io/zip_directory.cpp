#include "unclip/io/zip_directory.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <vector>

#include "unclip/base/error.h"

namespace unclip::io {
namespace {

// Names and numbers of PKWARE's APPNOTE.TXT, sections 4.3.7 to 4.5.3.
constexpr uint32_t kLocalHeader = 0x04034b50;
constexpr uint32_t kCentralHeader = 0x02014b50;
constexpr uint32_t kEnd = 0x06054b50;
constexpr uint32_t kZip64Locator = 0x07064b50;
constexpr uint32_t kZip64End = 0x06064b50;
constexpr uint64_t kLocalHeaderSize = 30, kCentralHeaderSize = 46, kEndSize = 22;
constexpr uint64_t kZip64LocatorSize = 20, kZip64EndSize = 56;
constexpr uint64_t kMaxComment = 0xFFFF;
constexpr uint32_t kElsewhere = 0xFFFFFFFF;  // the number is in the zip64 field
constexpr uint16_t kZip64Field = 1;
constexpr size_t kMaxEntryName = 1024;

/// Little-endian numbers of a file; every access is checked.
class Bytes {
 public:
  Bytes(std::span<const uint8_t> file, const std::string& where) : file_(file), where_(where) {}

  uint64_t size() const { return file_.size(); }
  uint16_t u16(uint64_t at) const { return static_cast<uint16_t>(number(at, 2)); }
  uint32_t u32(uint64_t at) const { return static_cast<uint32_t>(number(at, 4)); }
  uint64_t u64(uint64_t at) const { return number(at, 8); }
  std::string text(uint64_t at, uint64_t length) const {
    need(at, length);
    return {reinterpret_cast<const char*>(file_.data()) + at, length};
  }
  void need(uint64_t at, uint64_t length) const {
    if (length > size() || at > size() - length) damaged("is cut off");
  }
  [[noreturn]] void damaged(const std::string& reason) const {
    fail(ErrorKind::checkpoint, where_, " is no readable zip archive: it ", reason);
  }

 private:
  uint64_t number(uint64_t at, uint64_t length) const {
    need(at, length);
    uint64_t value = 0;
    for (uint64_t i = length; i-- > 0;) value = (value << 8) | file_[at + i];
    return value;
  }

  std::span<const uint8_t> file_;
  const std::string& where_;
};

struct Extent {
  uint64_t begin, end;  // of the central directory
  uint64_t entries;
};

/// The end record is the last thing in the file but for a comment of its own.
uint64_t find_end(const Bytes& bytes) {
  if (bytes.size() < kEndSize) bytes.damaged("is cut off");
  const uint64_t last = bytes.size() - kEndSize;
  const uint64_t first = last - std::min(last, kMaxComment);
  for (uint64_t at = last;; --at) {
    if (bytes.u32(at) == kEnd && bytes.u16(at + 20) == last - at) return at;
    if (at == first) bytes.damaged("has no directory at its end, as if it were cut off");
  }
}

Extent find_directory(const Bytes& bytes) {
  const uint64_t end = find_end(bytes);
  if (bytes.u16(end + 4) != 0 && bytes.u16(end + 4) != 0xFFFF) bytes.damaged("is one of several volumes");
  uint64_t entries = bytes.u16(end + 10), size = bytes.u32(end + 12), begin = bytes.u32(end + 16);
  uint64_t limit = end;
  if (end >= kZip64LocatorSize && bytes.u32(end - kZip64LocatorSize) == kZip64Locator) {
    const uint64_t record = bytes.u64(end - kZip64LocatorSize + 8);
    bytes.need(record, kZip64EndSize);
    if (bytes.u32(record) != kZip64End || record > end - kZip64LocatorSize)
      bytes.damaged("has a damaged zip64 record");
    entries = bytes.u64(record + 32);
    size = bytes.u64(record + 40);
    begin = bytes.u64(record + 48);
    limit = record;
  }
  if (size > limit || begin > limit - size) bytes.damaged("says that its directory lies outside of it");
  if (entries > size / kCentralHeaderSize)
    bytes.damaged("says that it has more entries than there is room for");
  return {begin, begin + size, entries};
}

/// What one header of the directory says.
struct Header {
  std::string name;
  uint64_t local = 0;  // where the entry's own header begins
  uint64_t compressed = 0, uncompressed = 0;
  bool stored = true;
  uint64_t length = 0;  // of this header
};

/// Numbers that do not fit 32 bits follow in the zip64 field, in this order.
void read_zip64(const Bytes& bytes, uint64_t at, uint64_t end, Header& header) {
  while (at + 4 <= end) {
    const uint16_t kind = bytes.u16(at);
    const uint64_t next = at + 4 + bytes.u16(at + 2);
    if (next > end) bytes.damaged("has a damaged directory");
    at += 4;
    for (uint64_t* value : {&header.uncompressed, &header.compressed, &header.local}) {
      if (kind != kZip64Field || *value != kElsewhere) continue;
      if (at + 8 > next) bytes.damaged("has a damaged zip64 field");
      *value = bytes.u64(at);
      at += 8;
    }
    at = next;
  }
}

Header read_header(const Bytes& bytes, uint64_t at) {
  if (bytes.u32(at) != kCentralHeader) bytes.damaged("has a damaged directory");
  const uint64_t name = bytes.u16(at + 28), extra = bytes.u16(at + 30), comment = bytes.u16(at + 32);
  Header header{.name = bytes.text(at + kCentralHeaderSize, name),
                .local = bytes.u32(at + 42),
                .compressed = bytes.u32(at + 20),
                .uncompressed = bytes.u32(at + 24),
                .stored = bytes.u16(at + 10) == 0,
                .length = kCentralHeaderSize + name + extra + comment};
  const bool plain = std::none_of(header.name.begin(), header.name.end(),
                                  [](unsigned char c) { return c < 0x20 || c == 0x7F; });
  if (name > kMaxEntryName || !plain) bytes.damaged("has an entry whose name is too long or no text");
  if ((bytes.u16(at + 8) & 1U) != 0) bytes.damaged("has the encrypted entry '" + header.name + "'");
  bytes.need(at, header.length);
  read_zip64(bytes, at + kCentralHeaderSize + name, at + kCentralHeaderSize + name + extra, header);
  return header;
}

/// An entry's bytes follow its own header, whose name and extra field have their own lengths.
ZipEntry locate(const Bytes& bytes, const Header& header, uint64_t limit) {
  const auto damaged = [&](const char* reason) {
    bytes.damaged("has the entry '" + header.name + "', which " + reason);
  };
  bytes.need(header.local, kLocalHeaderSize);
  const uint64_t name = bytes.u16(header.local + 26);
  if (bytes.u32(header.local) != kLocalHeader ||
      bytes.text(header.local + kLocalHeaderSize, name) != header.name) {
    damaged("does not lie where the directory says");
  }
  const uint64_t begin = header.local + kLocalHeaderSize + name + bytes.u16(header.local + 28);
  if (begin > limit || header.compressed > limit - begin) damaged("reaches beyond the data");
  if (header.stored && header.compressed != header.uncompressed) damaged("has two sizes");
  return {begin, begin + header.compressed, header.stored};
}

void check_no_overlap(std::vector<std::pair<uint64_t, uint64_t>> extents, const Bytes& bytes) {
  std::sort(extents.begin(), extents.end());
  for (size_t i = 1; i < extents.size(); ++i) {
    if (extents[i].first < extents[i - 1].second) bytes.damaged("has entries that overlap");
  }
}

}  // namespace

bool looks_like_zip(std::span<const uint8_t> file) {
  return file.size() >= 4 && std::memcmp(file.data(), "PK\3\4", 4) == 0;
}

ZipDirectory read_zip_directory(std::span<const uint8_t> file, const std::string& where) {
  const Bytes bytes(file, where);
  const Extent extent = find_directory(bytes);
  ZipDirectory directory;
  std::vector<std::pair<uint64_t, uint64_t>> extents;  // with the entries' own headers
  uint64_t at = extent.begin;
  for (uint64_t i = 0; i < extent.entries; ++i) {
    const Header header = read_header(bytes, at);
    at += header.length;
    if (at > extent.end) bytes.damaged("has a directory that is longer than it says");
    const ZipEntry entry = locate(bytes, header, extent.begin);
    if (!directory.emplace(header.name, entry).second) {
      bytes.damaged("has two entries called '" + header.name + "'");
    }
    extents.emplace_back(header.local, entry.end);
  }
  check_no_overlap(std::move(extents), bytes);
  return directory;
}

}  // namespace unclip::io
