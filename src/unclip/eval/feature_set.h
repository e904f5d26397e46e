// Features of many pictures: made in parts that are kept, so that a second run goes on where the first one
// ended.
#pragma once
#include <torch/types.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "unclip/base/progress.h"
#include "unclip/data/dataset.h"
#include "unclip/eval/extractor.h"

namespace unclip::eval {

/// Pictures by number, as stored.
struct PictureSource {
  int64_t size = 0;
  std::function<data::Bytes(int64_t)> picture;
  std::function<std::string(int64_t)> name;
};

PictureSource pictures_of(const data::Dataset& dataset);

struct FeatureSet {
  std::string made_by;                         // the extractor's name
  torch::Tensor features;                      // float32 [N, D]
  std::vector<int64_t> samples;                // which pictures of the source these are: all but the damaged
  std::vector<data::DamageLog::Entry> damage;  // the first hundred
  int64_t damaged = 0;
  int64_t smallest_side = 0, largest_side = 0;  // shorter sides as stored, in pixels; 0: not known
  int64_t count() const { return features.size(0); }
};

struct ExtractOptions {
  std::optional<int64_t> size = {};  // bring each picture to a square of this side first
  std::filesystem::path cache = {};  // folder for finished parts; empty: none are kept
  std::string stage = "features";    // as progress is told
};

/// Decodes and looks at every picture. A damaged one is logged and left out. Error(data) if none is usable.
FeatureSet extract(const PictureSource& source,
                   const FeatureExtractor& extractor,
                   const ExtractOptions& options,
                   Progress& progress);

/// A feature file: tensor "features" and the extractor's name. Error(checkpoint) if it is none.
FeatureSet load_features(const std::filesystem::path& file);
void save_features(const std::filesystem::path& file, const FeatureSet& set);
/// Whether a source is such a file: its name ends with .safetensors.
bool is_feature_file(const std::string& source);

/// Error(data) unless both sets come from the same network.
void check_comparable(const FeatureSet& a, const FeatureSet& b);

}  // namespace unclip::eval
