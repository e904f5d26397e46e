// What is in a data set: counts, sizes, captions, duplicates, damage.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "unclip/base/progress.h"
#include "unclip/data/dataset.h"

namespace unclip::data {

struct DatasetReport {
  int64_t samples = 0;  // with a picture that decodes
  int64_t archives = 0;
  int64_t without_caption = 0;
  double visits_per_epoch = 0;                           // sum of the weights
  int64_t picture_bytes = 0;                             // as stored
  std::map<std::pair<int64_t, int64_t>, int64_t> sizes;  // (width, height) → samples
  std::map<std::string, int64_t> formats;                // "png" → samples
  int64_t animated = 0;                                  // samples of which the first frame is seen
  int64_t transparent = 0;                               // samples with an alpha channel (trained on white)

  int64_t captions = 0;
  int64_t distinct_captions = 0;
  int64_t fewest_captions = 0, most_captions = 0;  // of one sample
  std::vector<std::string> longest_captions;       // the five longest, in bytes

  int64_t duplicates = 0;  // samples whose file equals an earlier one's
  std::vector<std::pair<std::string, std::string>>
      duplicate_pairs;  // (earlier, later) keys, the first hundred
  int64_t damaged = 0;
  std::vector<DamageLog::Entry> damage;  // the first hundred
};

/// Decodes every picture. Reports to `progress` as stage "inspect".
DatasetReport inspect(const Dataset& dataset, Progress& progress);

}  // namespace unclip::data
