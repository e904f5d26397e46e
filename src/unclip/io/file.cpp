#include "unclip/io/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "unclip/base/error.h"

namespace unclip::io {
namespace {

namespace fs = std::filesystem;

std::string reason() { return std::strerror(errno); }

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  operator int() const { return value_; }

 private:
  int value_;
};

template <class Bytes>
Bytes read_whole(const fs::path& path, int64_t max_bytes) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  check(file >= 0, ErrorKind::io, path.string(), " cannot be opened: ", reason());
  struct stat status {};
  check(::fstat(file, &status) == 0, ErrorKind::io, path.string(), " cannot be read: ", reason());
  check(!S_ISDIR(status.st_mode), ErrorKind::io, path.string(), " is a folder, expected a file");

  constexpr size_t kChunk = size_t{1} << 16;
  const size_t limit = static_cast<size_t>(max_bytes);
  Bytes bytes;
  // A pipe or a file that grows has another size than it says: read until the end.
  for (size_t size = 0;;) {
    const size_t expected = S_ISREG(status.st_mode) ? static_cast<size_t>(status.st_size) + 1 : 0;
    bytes.resize(std::min(std::max(expected, size + kChunk), limit + 1));
    const ssize_t count = ::read(file, bytes.data() + size, bytes.size() - size);
    if (count < 0 && errno == EINTR) continue;
    check(count >= 0, ErrorKind::io, path.string(), " cannot be read: ", reason());
    size += static_cast<size_t>(count);
    check(size <= limit, ErrorKind::io, path.string(), " has more than ", max_bytes,
          " bytes, expected at most that");
    if (count == 0) {
      bytes.resize(size);
      return bytes;
    }
  }
}

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

/// Where a symbolic link leads, so that writing replaces the file and not the link.
fs::path follow_links(fs::path path) {
  constexpr int kMostLinks = 40;  // as Linux
  std::error_code error;
  for (int i = 0; fs::is_symlink(path, error); ++i) {
    check(i < kMostLinks, ErrorKind::io, path.string(), " is a link that leads back to itself");
    path = folder_of(path) / fs::read_symlink(path, error);
    check(!error, ErrorKind::io, path.string(), " is a link that cannot be read: ", error.message());
  }
  return path;
}

void check_target(const fs::path& path) {
  check(path.has_filename(), ErrorKind::io, "'", path.string(), "' is no name for a file");
  std::error_code error;
  const fs::path folder = folder_of(path);
  check(fs::exists(folder, error), ErrorKind::io, path.string(), " cannot be written: folder ",
        folder.string(), " does not exist, create it first");
  check(fs::is_directory(folder, error), ErrorKind::io, path.string(),
        " cannot be written: ", folder.string(), " is not a folder");
  check(!fs::exists(path, error) || fs::is_regular_file(path, error), ErrorKind::io, path.string(),
        " is a folder or device, expected the name of a file");
}

}  // namespace

std::vector<uint8_t> read_file(const fs::path& path, int64_t max_bytes) {
  return read_whole<std::vector<uint8_t>>(path, max_bytes);
}

std::string read_text(const fs::path& path, int64_t max_bytes) {
  return read_whole<std::string>(path, max_bytes);
}

void check_writable_target(const fs::path& path, bool force) {
  const fs::path target = follow_links(path);
  check_target(target);
  std::error_code error;
  check(force || !fs::exists(target, error), ErrorKind::io, path.string(),
        " exists already; choose another name, or --force to replace it");
  check(::access(folder_of(target).c_str(), W_OK | X_OK) == 0, ErrorKind::io, path.string(),
        " cannot be written: ", reason());
}

AtomicWriter::AtomicWriter(const fs::path& path) : path_(follow_links(path)) {
  static std::atomic<uint64_t> counter{0};
  check_target(path_);
  do {
    temporary_ = folder_of(path_) / join_text(".unclip-", ::getpid(), "-", counter++, ".tmp");
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (descriptor_ < 0 && errno == EEXIST);
  check(descriptor_ >= 0, ErrorKind::io, path_.string(), " cannot be written: ", reason());
}

AtomicWriter::~AtomicWriter() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
    ::unlink(temporary_.c_str());
  }
}

void AtomicWriter::write(std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    check(count > 0, ErrorKind::io, path_.string(), " cannot be written: ", reason());
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
}

void AtomicWriter::write(std::string_view text) {
  write(std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
}

void AtomicWriter::commit() {
  check(::fsync(descriptor_) == 0, ErrorKind::io, path_.string(), " cannot be written: ", reason());
  check(::rename(temporary_.c_str(), path_.c_str()) == 0, ErrorKind::io, path_.string(),
        " cannot be written: ", reason());
  ::close(descriptor_);
  descriptor_ = -1;
  // Best effort: some file systems cannot flush a folder, and the file itself is complete.
  const Descriptor folder(::open(folder_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder >= 0) ::fsync(folder);
}

void write_file_atomically(const fs::path& path, std::span<const uint8_t> bytes) {
  write_file_atomically(path, [&](AtomicWriter& writer) { writer.write(bytes); });
}

void write_file_atomically(const fs::path& path, std::string_view text) {
  write_file_atomically(path, [&](AtomicWriter& writer) { writer.write(text); });
}

void write_file_atomically(const fs::path& path, const std::function<void(AtomicWriter&)>& fill) {
  AtomicWriter writer(path);
  fill(writer);
  writer.commit();
}

}  // namespace unclip::io
