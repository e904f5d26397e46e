// Any data set → WebDataset shards.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "unclip/base/progress.h"
#include "unclip/data/dataset.h"

namespace unclip::data {

struct PackConfig {
  std::string prefix = "train";
  int64_t samples_per_shard = 5000;
  int64_t shard_mb = 256;
  bool overwrite = false;
  static void fields(auto& self, auto&& field) {
    field("prefix", self.prefix, "shards are named PREFIX-00000.tar …");
    field("samples_per_shard", self.samples_per_shard, "most samples in a shard");
    field("shard_mb", self.shard_mb, "a shard of this many MiB is ended");
    field("overwrite", self.overwrite, "replace shards that are there already");
  }
  /// Error(config) if a value is out of range.
  void validate() const;
};

struct PackReport {
  int64_t samples = 0;
  std::vector<std::filesystem::path> shards;
  int64_t damaged = 0;
  std::vector<DamageLog::Entry> damage;
};

/// Writes every sample whose picture decodes into `folder` (created if missing), in the data set's order: the
/// stored picture as it is, x.txt with the captions and x.json with {"key", "captions", "weight"} and what
/// the sample's own JSON says. The same samples give the same bytes; a shard appears whole or not at all.
/// Error(io) if a shard exists (unless `overwrite`) or the disk is full. Reports to `progress` as stage
/// "pack".
PackReport pack(const Dataset& dataset,
                const std::filesystem::path& folder,
                const PackConfig& config,
                Progress& progress);

}  // namespace unclip::data
