// Whole files in and out of memory. A file appears under its name complete or not at all.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unclip::io {

/// The bytes of a file or pipe. Error(io) if it cannot be read or holds more than `max_bytes`.
std::vector<uint8_t> read_file(const std::filesystem::path& path, int64_t max_bytes);
std::string read_text(const std::filesystem::path& path, int64_t max_bytes);

/// Error(io) unless a file can be written at `path`: its folder exists and is writable, and nothing is there
/// yet, or a regular file that `force` allows to replace.
void check_writable_target(const std::filesystem::path& path, bool force);

/// Writes to a temporary name beside `path`; `commit` gives it its name. Without a commit nothing remains.
/// Every failure (no folder, disk full, …) is an Error(io) that names `path`.
class AtomicWriter {
 public:
  explicit AtomicWriter(const std::filesystem::path& path);
  ~AtomicWriter();
  AtomicWriter(const AtomicWriter&) = delete;
  AtomicWriter& operator=(const AtomicWriter&) = delete;

  void write(std::span<const uint8_t> bytes);
  void write(std::string_view text);
  /// Flushes to the disk and renames, replacing what was there.
  void commit();

 private:
  std::filesystem::path path_;  // with a symbolic link followed
  std::filesystem::path temporary_;
  int descriptor_ = -1;
};

void write_file_atomically(const std::filesystem::path& path, std::span<const uint8_t> bytes);
void write_file_atomically(const std::filesystem::path& path, std::string_view text);
/// `fill` may write in several parts; if it throws, nothing is left behind.
void write_file_atomically(const std::filesystem::path& path, const std::function<void(AtomicWriter&)>& fill);

}  // namespace unclip::io
