#include "unclip/io/file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "support/error_of.h"
#include "support/temporary_folder.h"
#include "unclip/io/mapped_file.h"

namespace unclip::io {
namespace {

using ::testing::ElementsAre;
using testing::error_of;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::TemporaryFolder;

TEST(File, WritesAndReadsBack) {
  const TemporaryFolder folder;
  const std::string text("a\0b\n", 4);
  write_file_atomically(folder / "x", text);
  EXPECT_EQ(read_text(folder / "x", 4), text);
  EXPECT_EQ(read_file(folder / "x", 100), std::vector<uint8_t>(text.begin(), text.end()));
  write_file_atomically(folder / "x", std::string_view(""));
  EXPECT_EQ(read_text(folder / "x", 0), "");
  EXPECT_THAT(folder.names(), ElementsAre("x"));
}

TEST(File, HasOrdinaryPermissions) {
  const TemporaryFolder folder;
  const mode_t mask = ::umask(022);
  write_file_atomically(folder / "x", std::string_view("1"));
  ::umask(mask);
  EXPECT_EQ(std::filesystem::status(folder / "x").permissions(), std::filesystem::perms{0644});
}

TEST(File, RefusesMoreThanTheLimit) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "x", std::string_view("12345"));
  EXPECT_THAT(error_of(ErrorKind::io, [&] { read_file(folder / "x", 4); }), HasSubstr("more than 4 bytes"));
  EXPECT_THAT(error_of(ErrorKind::io, [&] { read_file("/dev/zero", 100000); }),
              HasSubstr("more than 100000"));
  EXPECT_THAT(error_of(ErrorKind::io, [&] { read_file(folder / "y", 4); }), HasSubstr("No such file"));
  EXPECT_THAT(error_of(ErrorKind::io, [&] { read_file(folder.path(), 4); }), HasSubstr("is a folder"));
}

TEST(File, LeavesNothingBehindWhenFillingFails) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "x", std::string_view("old"));
  EXPECT_THROW(write_file_atomically(folder / "x",
                                     [](AtomicWriter& writer) {
                                       writer.write(std::string_view("half of the new"));
                                       throw std::runtime_error("stop");
                                     }),
               std::runtime_error);
  EXPECT_EQ(read_text(folder / "x", 100), "old");
  EXPECT_THAT(folder.names(), ElementsAre("x"));
}

TEST(File, LeavesNothingBehindWhenTheDiskIsFull) {
  const TemporaryFolder folder;
  // A limit on file size stands in for a full disk: write() fails in the middle with EFBIG instead of ENOSPC.
  rlimit old{};
  ::getrlimit(RLIMIT_FSIZE, &old);
  const rlimit small{1000, old.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ::setrlimit(RLIMIT_FSIZE, &small);
  const std::string message = error_of(
      ErrorKind::io, [&] { write_file_atomically(folder / "x", std::string_view(std::string(2000, 'x'))); });
  ::setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  EXPECT_THAT(message, HasSubstr("x cannot be written: File too large"));
  EXPECT_THAT(folder.names(), IsEmpty());
}

TEST(File, ChecksTargetsBeforeLongWork) {
  const TemporaryFolder folder;
  check_writable_target(folder / "new.png", false);
  write_file_atomically(folder / "old.png", std::string_view("1"));
  check_writable_target(folder / "old.png", true);
  const auto complaint = [](const std::filesystem::path& path, bool force = false) {
    return error_of(ErrorKind::io, [&] { check_writable_target(path, force); });
  };
  EXPECT_THAT(complaint(folder / "old.png"), HasSubstr("exists already"));
  EXPECT_THAT(complaint(folder / "none" / "x.png"), HasSubstr("does not exist"));
  EXPECT_THAT(complaint(folder / "old.png" / "x.png"), HasSubstr("is not a folder"));
  EXPECT_THAT(complaint(folder.path(), true), HasSubstr("is a folder or device"));
  EXPECT_THAT(complaint("/dev/null", true), HasSubstr("is a folder or device"));
  EXPECT_THAT(complaint(""), HasSubstr("is no name"));
  EXPECT_THAT(error_of(ErrorKind::io, [] { AtomicWriter writer("/dev/null"); }), HasSubstr("device"));
}

TEST(File, WritesThroughASymbolicLink) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "far");
  std::filesystem::create_symlink(folder / "far" / "x", folder / "link");
  write_file_atomically(folder / "link", std::string_view("1"));
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
  EXPECT_EQ(read_text(folder / "far" / "x", 10), "1");
  std::filesystem::create_symlink("circle", folder / "circle");
  EXPECT_THAT(
      error_of(ErrorKind::io, [&] { write_file_atomically(folder / "circle", std::string_view("1")); }),
      HasSubstr("leads back to itself"));
}

TEST(MappedFile, IsTheFileAndNeverChangesIt) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "x", std::string_view("abc"));
  const MappedFile file(folder / "x");
  ASSERT_EQ(file.bytes().size(), 3U);
  file.data()[0] = 'z';
  EXPECT_EQ(file.bytes()[0], 'z');
  EXPECT_EQ(read_text(folder / "x", 10), "abc");
}

TEST(MappedFile, TakesRegularFilesOnly) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "empty", std::string_view(""));
  EXPECT_TRUE(MappedFile(folder / "empty").bytes().empty());
  EXPECT_THAT(error_of(ErrorKind::io, [&] { MappedFile file(folder.path()); }),
              HasSubstr("not a regular file"));
  EXPECT_THAT(error_of(ErrorKind::io, [&] { MappedFile file(folder / "none"); }), HasSubstr("No such file"));
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(error_of(ErrorKind::io, [&] { MappedFile file(folder / "pipe"); }),
              HasSubstr("not a regular file"));
}

}  // namespace
}  // namespace unclip::io
