// Plain tar archives (WebDataset shards): an index of members for random access, and a writer.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct archive;

namespace unclip::data {

/// A regular file inside an archive: `size` bytes at `offset`.
struct ArchiveMember {
  std::string name;
  uint64_t offset;
  uint64_t size;
};

struct ArchiveIndex {
  std::vector<ArchiveMember> members;
  std::optional<std::string> damage;  // why reading stopped before the end; what came before is usable
};

/// Lists a tar archive (ustar, pax, GNU) that lies in memory. Error(data) if it is none, or is compressed:
/// samples are read in random order. `where` names it in errors.
ArchiveIndex index_archive(std::span<const uint8_t> bytes, const std::string& where);

/// Builds a tar archive in memory. Equal members give equal bytes: no times, owners or permissions enter.
class ArchiveBuilder {
 public:
  ArchiveBuilder();
  ~ArchiveBuilder();
  ArchiveBuilder(const ArchiveBuilder&) = delete;
  ArchiveBuilder& operator=(const ArchiveBuilder&) = delete;

  void add(const std::string& name, std::span<const uint8_t> content);
  int64_t size() const { return static_cast<int64_t>(bytes_.size()); }
  /// Ends the archive and returns its bytes; the builder is then empty, ready for another.
  std::string finish();

 private:
  void open();

  std::string bytes_;
  struct archive* archive_ = nullptr;
};

}  // namespace unclip::data
