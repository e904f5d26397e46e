// Whole files in, whole files out: what is written appears completely or not at all.
#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unclip::io {

/// The bytes of a file of at most `max_bytes`. Error(io) if it is missing, unreadable or larger.
std::vector<uint8_t> read_file(const std::filesystem::path& path, int64_t max_bytes);
std::string read_text(const std::filesystem::path& path, int64_t max_bytes);

/// A file that gets its name when commit() is called; before that, and after an error, nothing is at `path`.
class AtomicFile {
 public:
  /// Opens a temporary file beside `path`. Error(io) if the folder is missing or not writable.
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, size_t size);
  void write(std::string_view bytes) { write(bytes.data(), bytes.size()); }
  /// Flushes to the disk and renames into place. Error(io), for instance when the disk is full.
  void commit();

 private:
  [[noreturn]] void fail_with_errno(const char* what) const;
  std::filesystem::path path_, temporary_;
  int descriptor_ = -1;
};

void write_file_atomically(const std::filesystem::path& path, std::string_view bytes);

}  // namespace unclip::io
