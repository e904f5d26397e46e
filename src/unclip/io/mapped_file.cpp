#include "unclip/io/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "unclip/base/error.h"

namespace unclip::io {

MappedFile::MappedFile(const std::filesystem::path& path) : path_(path) {
  // O_NONBLOCK: opening a pipe must not wait for its other end.
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  check(file >= 0, ErrorKind::io, path.string(), " cannot be opened: ", std::strerror(errno));
  struct stat status {};
  const bool known = ::fstat(file, &status) == 0;
  void* address = nullptr;
  if (known && S_ISREG(status.st_mode) && status.st_size > 0) {
    size_ = static_cast<size_t>(status.st_size);
    // Private and not reserved: 14 GB of weights need no 14 GB of memory.
    address = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, file, 0);
  }
  const int error = errno;
  ::close(file);
  check(known && S_ISREG(status.st_mode), ErrorKind::io, path.string(), " is not a regular file");
  check(address != MAP_FAILED, ErrorKind::io, path.string(), " cannot be mapped: ", std::strerror(error));
  data_ = static_cast<uint8_t*>(address);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

}  // namespace unclip::io
