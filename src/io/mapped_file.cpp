#include "unclip/io/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "unclip/base/error.h"

namespace unclip::io {

MappedFile::MappedFile(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  check(descriptor >= 0, ErrorKind::io, "cannot open '", path.string(), "': ", std::strerror(errno));
  struct stat info {};
  const bool is_file = ::fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode);
  void* memory = nullptr;
  if (is_file && info.st_size > 0) {
    memory = ::mmap(nullptr, static_cast<size_t>(info.st_size), PROT_READ, MAP_PRIVATE, descriptor, 0);
  }
  ::close(descriptor);
  check(is_file, ErrorKind::io, "'", path.string(), "' is not a file");
  check(memory != MAP_FAILED, ErrorKind::io, "cannot map '", path.string(), "': ", std::strerror(errno));
  data_ = static_cast<const uint8_t*>(memory);
  size_ = static_cast<size_t>(info.st_size);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<uint8_t*>(data_), size_);
}

}  // namespace unclip::io
