// A file as memory.
#pragma once
#include <cstdint>
#include <filesystem>
#include <span>

namespace unclip::io {

/// Maps a regular file; pages are read when they are touched. Writing to `data()` changes this process's copy
/// of the page, never the file. Error(io) if it cannot be opened or is no regular file. Who replaces a file
/// by rename disturbs no mapping; who cuts off a mapped file ends the processes that read it.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  uint8_t* data() const { return data_; }
  std::span<const uint8_t> bytes() const { return {data_, size_}; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  uint8_t* data_ = nullptr;  // null for an empty file
  size_t size_ = 0;
};

}  // namespace unclip::io
