// Where samples lie: what Dataset finds in its sources before anything is decoded. Internal to this room.
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "unclip/data/damage.h"
#include "unclip/io/mapped_file.h"

namespace unclip::data {

/// Bytes inside a mapped archive, or a whole file at `path`; neither: there is none.
struct Blob {
  std::shared_ptr<const io::MappedFile> archive;
  uint64_t offset = 0;
  uint64_t size = 0;
  std::string path;
  bool exists() const { return archive != nullptr || !path.empty(); }
};

struct Entry {
  std::string key;
  std::string extension;
  std::string unreadable;  // the extension of a picture of another kind
  Blob picture;
  Blob text;
  Blob json;
  std::vector<std::string> rows;  // captions from a table
};

struct ScanResult {
  std::vector<Entry> entries;
  int64_t archives = 0;
};

/// Appends what `source` (file, folder or pattern) holds, in an order that depends on names alone. Error(io)
/// if there is no such file; damaged archives and tables go to `damage`.
void scan_source(const std::string& source, ScanResult& result, DamageLog& damage);

}  // namespace unclip::data
