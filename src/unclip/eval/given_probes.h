// Linear probes from tables that a user gives: pictures with ratings, or pairs of which one was preferred.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "unclip/eval/feature_set.h"
#include "unclip/metrics/linear_probe.h"

namespace unclip::eval {

struct GivenTable {
  std::filesystem::path folder;         // that the names are relative to
  std::vector<std::string> names = {};  // of pictures, each once
  std::vector<int64_t> first = {};      // of each row: the rated or the better picture's number
  std::vector<int64_t> second = {};     // the worse one's
  std::vector<double> ratings = {};     // of each row
};

/// A CSV with the columns file_name and rating. Errors of all of these name the file.
GivenTable read_ratings(const std::filesystem::path& csv);
/// A CSV with the columns better and worse, names of pictures.
GivenTable read_comparisons(const std::filesystem::path& csv);

/// A probe with how well it predicts what it has not seen.
struct GivenProbe {
  std::string name;  // "rating" or "preference"
  metrics::LinearProbe probe;
  int64_t examples = 0;
  double quality = 0;  // R² or accuracy on a fifth that was held out; NaN for fewer than ten examples
};

/// unCLIP §5.5.
GivenProbe fit_given_ratings(const GivenTable& table,
                             const FeatureExtractor& extractor,
                             const ExtractOptions& options,
                             Progress& progress);
/// unCLIP App. A.
GivenProbe fit_given_comparisons(const GivenTable& table,
                                 const FeatureExtractor& extractor,
                                 const ExtractOptions& options,
                                 Progress& progress);

}  // namespace unclip::eval
