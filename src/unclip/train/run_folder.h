// A run on disk: config.json, command.txt, data.json, log.jsonl, samples/, checkpoints/step-N/.
#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include "unclip/data/dataset.h"
#include "unclip/data/loader.h"
#include "unclip/io/safetensors.h"

namespace unclip::train {

/// What a run learns from. Resumed with anything else it would no longer be the same run.
struct DataRecord {
  int64_t pictures = 0;
  std::string fingerprint;  // of data::Dataset
  static void fields(auto& self, auto&& field) {
    field("pictures", self.pictures, "samples that are trained on");
    field("fingerprint", self.fingerprint, "of their names and captions");
  }
  bool operator==(const DataRecord&) const = default;
};

DataRecord record_of(const data::Dataset& trained_on);

/// Where a run stands, apart from its tensors.
struct Position {
  int64_t step = 0;
  double seconds = 0.0;  // of training so far
  data::LoaderState data;
  static void fields(auto& self, auto&& field) {
    field("step", self.step, "updates done");
    field("seconds", self.seconds, "time spent training");
    field("data", self.data, "place in the data");
  }
};

/// Tensors of a checkpoint: weights, averaged weights, optimizer state.
struct CheckpointTensors {
  io::NamedTensors model, ema, optimizer;
};

struct Checkpoint {
  Position position;
  CheckpointTensors tensors;
};

class RunFolder {
 public:
  explicit RunFolder(std::filesystem::path path) : path_(std::move(path)) {}

  /// A new run: makes the folder and writes config, command and data. Error(io) if it already holds a run.
  void create(const std::string& config_json, const std::string& command, const DataRecord& data) const;
  /// The configuration that the run was started with.
  std::string stored_config() const;
  /// Before resuming: Error(config) if the run was started with other data.
  void check_same_data(const DataRecord& given) const;

  /// Writes checkpoints/step-N under a temporary name, renames it, then removes all but the newest `keep`.
  void save(const Checkpoint& checkpoint, int64_t keep) const;
  std::optional<Checkpoint> load_latest() const;
  /// The newest complete checkpoint's folder.
  std::optional<std::filesystem::path> latest() const;
  /// The same; Error(io) if there is none.
  std::filesystem::path require_latest() const;

  void append_log(const std::string& json_line) const;
  std::filesystem::path sheet(int64_t step) const;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// The "stage" that a configuration names; "" if it names none or is no JSON.
std::string stage_of(const std::string& config_json);

/// Before resuming: Error(config) naming the first difference between two configurations as JSON, unless they
/// are equal.
void check_same_config(const std::string& stored, const std::string& given, const std::filesystem::path& run);

}  // namespace unclip::train
