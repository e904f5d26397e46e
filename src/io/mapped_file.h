// A file seen as memory: pages are read when they are touched and can be dropped again.
#pragma once
#include <cstdint>
#include <filesystem>
#include <span>

namespace unclip::io {

class MappedFile {
 public:
  /// Maps `path` read-only. Error(io) if it is missing or unreadable.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const uint8_t> bytes() const { return {data_, size_}; }

 private:
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace unclip::io
