#include "unclip/io/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "unclip/base/error.h"

namespace unclip::io {
namespace {

/// Reads into a container of bytes.
template <class Container>
Container read_all(const std::filesystem::path& path, int64_t max_bytes) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  check(descriptor >= 0, ErrorKind::io, "cannot open '", path.string(), "': ", std::strerror(errno));
  struct Closer {
    int descriptor;
    ~Closer() { ::close(descriptor); }
  } const closer{descriptor};
  struct stat info {};
  check(::fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode), ErrorKind::io, "'", path.string(),
        "' is not a file");
  check(info.st_size <= max_bytes, ErrorKind::io, "'", path.string(), "' has ", info.st_size,
        " bytes, more than the ", max_bytes, " that are read");
  Container content(static_cast<size_t>(info.st_size), 0);
  size_t done = 0;
  while (done < content.size()) {
    const ssize_t got = ::read(descriptor, content.data() + done, content.size() - done);
    if (got < 0 && errno == EINTR) continue;
    check(got >= 0, ErrorKind::io, "cannot read '", path.string(), "': ", std::strerror(errno));
    if (got == 0) break;  // the file shrank
    done += static_cast<size_t>(got);
  }
  content.resize(done);
  return content;
}

}  // namespace

std::vector<uint8_t> read_file(const std::filesystem::path& path, int64_t max_bytes) {
  return read_all<std::vector<uint8_t>>(path, max_bytes);
}

std::string read_text(const std::filesystem::path& path, int64_t max_bytes) {
  return read_all<std::string>(path, max_bytes);
}

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)) {
  std::string name = (path_.parent_path() / join_text(".", path_.filename().string(), ".XXXXXX")).string();
  descriptor_ = ::mkstemp(name.data());
  temporary_ = name;
  if (descriptor_ < 0) {
    temporary_.clear();
    fail_with_errno("cannot write");
  }
  const mode_t mask = ::umask(0);  // mkstemp makes a private file; a result is readable as usual
  ::umask(mask);
  ::fchmod(descriptor_, 0666 & ~mask);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::fail_with_errno(const char* what) const {
  fail(ErrorKind::io, what, " '", path_.string(), "': ", std::strerror(errno),
       errno == ENOSPC ? "; free some space and try again" : "");
}

void AtomicFile::write(const void* data, size_t size) {
  const auto* bytes = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t put = ::write(descriptor_, bytes, size);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail_with_errno("cannot write");
    bytes += put;
    size -= static_cast<size_t>(put);
  }
}

void AtomicFile::commit() {
  if (::fsync(descriptor_) != 0) fail_with_errno("cannot write");
  const int descriptor = descriptor_;
  descriptor_ = -1;
  if (::close(descriptor) != 0) fail_with_errno("cannot write");
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail_with_errno("cannot name");
  temporary_.clear();
}

void write_file_atomically(const std::filesystem::path& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

}  // namespace unclip::io
