#include "unclip/data/archive.h"

#include <archive.h>
#include <archive_entry.h>

#include <utility>

#include "unclip/base/error.h"

namespace unclip::data {
namespace {

using Reader = std::unique_ptr<struct archive, decltype(&archive_read_free)>;
using LibraryEntry = std::unique_ptr<struct archive_entry, decltype(&archive_entry_free)>;

std::string message_of(struct archive* archive) {
  const char* message = archive_error_string(archive);
  return message == nullptr ? "unknown error" : message;
}

void refuse_compressed(std::string_view bytes, const std::string& where) {
  constexpr std::pair<std::string_view, const char*> kKinds[] = {
      {"\x1F\x8B", "gunzip"}, {"\x28\xB5\x2F\xFD", "unzstd"}, {"BZh", "bunzip2"}, {"\xFD\x37zXZ", "unxz"}};
  for (const auto& [magic, tool] : kKinds) {
    check(
        !bytes.starts_with(magic), ErrorKind::data, where,
        " is a compressed archive, expected a plain tar (samples are read in random order); unpack it with ",
        tool);
  }
}

std::string member_name(struct archive_entry* entry) {
  const char* name = archive_entry_pathname_utf8(entry);
  if (name == nullptr) name = archive_entry_pathname(entry);  // bytes that are not UTF-8 stay as they are
  return name == nullptr ? "" : name;
}

/// Where the content of the current entry lies in `bytes`, or nothing if it is cut off or stored in pieces.
std::optional<uint64_t> content_offset(struct archive* reader,
                                       uint64_t size,
                                       std::span<const uint8_t> bytes) {
  if (size == 0) return 0;
  const void* block = nullptr;
  size_t block_size = 0;
  la_int64_t offset = 0;
  const int status = archive_read_data_block(reader, &block, &block_size, &offset);
  const auto* begin = static_cast<const uint8_t*>(block);
  const bool in_place = begin >= bytes.data() && begin + block_size <= bytes.data() + bytes.size();
  if (status != ARCHIVE_OK || offset != 0 || block_size < size || !in_place) return std::nullopt;
  return static_cast<uint64_t>(begin - bytes.data());
}

}  // namespace

ArchiveIndex index_archive(std::span<const uint8_t> bytes, const std::string& where) {
  refuse_compressed({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, where);
  const Reader reader(archive_read_new(), &archive_read_free);
  archive_read_support_filter_none(reader.get());
  archive_read_support_format_tar(reader.get());
  check(archive_read_open_memory(reader.get(), bytes.data(), bytes.size()) == ARCHIVE_OK, ErrorKind::data,
        where, " cannot be read as a tar archive: ", message_of(reader.get()));
  ArchiveIndex index;
  struct archive_entry* entry = nullptr;
  for (;;) {
    const int status = archive_read_next_header(reader.get(), &entry);
    if (status == ARCHIVE_EOF) return index;
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN) {
      index.damage = message_of(reader.get());
      check(!index.members.empty(), ErrorKind::data, where,
            " is no tar archive or its start is damaged: ", *index.damage);
      return index;
    }
    if (archive_entry_filetype(entry) != AE_IFREG) continue;
    const auto size = static_cast<uint64_t>(archive_entry_size(entry));
    const std::string name = member_name(entry);
    if (const auto offset = content_offset(reader.get(), size, bytes)) {
      index.members.push_back({name, *offset, size});
    } else {
      index.damage = join_text("the content of '", name, "' is cut off");
      return index;
    }
  }
}

ArchiveBuilder::ArchiveBuilder() { open(); }

ArchiveBuilder::~ArchiveBuilder() { archive_write_free(archive_); }

void ArchiveBuilder::open() {
  archive_ = archive_write_new();
  archive_write_set_format_gnutar(archive_);  // names stay the bytes they are, in any locale
  archive_write_set_bytes_per_block(archive_, 0);
  const auto append = [](struct archive*, void* self, const void* data, size_t size) -> la_ssize_t {
    static_cast<ArchiveBuilder*>(self)->bytes_.append(static_cast<const char*>(data), size);
    return static_cast<la_ssize_t>(size);
  };
  const int status = archive_write_open(archive_, this, nullptr, append, nullptr);
  check(status == ARCHIVE_OK, ErrorKind::io, "an archive cannot be begun: ", message_of(archive_));
}

void ArchiveBuilder::add(const std::string& name, std::span<const uint8_t> content) {
  const LibraryEntry entry(archive_entry_new(), &archive_entry_free);
  archive_entry_set_pathname(entry.get(), name.c_str());
  archive_entry_set_size(entry.get(), static_cast<la_int64_t>(content.size()));
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), 0644);
  archive_entry_set_mtime(entry.get(), 0, 0);
  const bool written =
      archive_write_header(archive_, entry.get()) == ARCHIVE_OK &&
      archive_write_data(archive_, content.data(), content.size()) == static_cast<la_ssize_t>(content.size());
  check(written, ErrorKind::io, "'", name, "' cannot be put into an archive: ", message_of(archive_));
}

std::string ArchiveBuilder::finish() {
  const int status = archive_write_close(archive_);
  check(status == ARCHIVE_OK, ErrorKind::io, "an archive cannot be ended: ", message_of(archive_));
  archive_write_free(archive_);
  std::string result = std::exchange(bytes_, {});
  open();
  return result;
}

}  // namespace unclip::data
