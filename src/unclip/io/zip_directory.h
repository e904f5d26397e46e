// The table of contents of a zip archive, without LibTorch: where each entry's bytes lie in the file, so that
// a stored entry can be read in place. PyTorch's archives are such files, of more than 4 GB too (zip64).
#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <string>

namespace unclip::io {

struct ZipEntry {
  uint64_t begin = 0, end = 0;  // bytes from the start of the file
  bool stored = true;           // else compressed: its bytes are not its contents
};

using ZipDirectory = std::map<std::string, ZipEntry>;

/// Whether `file` begins like a zip archive.
bool looks_like_zip(std::span<const uint8_t> file);

/// Reads the directory at the end of `file`, the whole archive. Error(checkpoint) that begins with `where` if
/// it is damaged, cut off, encrypted or divided, or has entries that overlap or share a name.
ZipDirectory read_zip_directory(std::span<const uint8_t> file, const std::string& where);

}  // namespace unclip::io
