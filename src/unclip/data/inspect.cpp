#include "unclip/data/inspect.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <set>
#include <unordered_map>

#include "unclip/base/error.h"
#include "unclip/image/decode.h"

namespace unclip::data {
namespace {

constexpr size_t kListed = 100;
constexpr size_t kLongestCaptions = 5;

class Inspector {
 public:
  explicit Inspector(const Dataset& dataset) : dataset_(dataset) {
    report_.archives = dataset.archive_count();
    report_.without_caption = dataset.without_caption();
    report_.fewest_captions = std::numeric_limits<int64_t>::max();
  }

  void add(int64_t index) {
    try {
      const Sample sample = dataset_.sample(index);
      add_picture(sample);
      add_captions(sample.captions);
      find_duplicate(index, sample);
      ++report_.samples;
      report_.visits_per_epoch += sample.weight;
    } catch (const Error& error) {
      damage_.add(dataset_.key(index), error.what());
    }
  }

  DatasetReport finish() {
    if (report_.samples == 0) report_.fewest_captions = 0;
    report_.distinct_captions = static_cast<int64_t>(distinct_.size());
    report_.damaged = dataset_.damage().count() + damage_.count();
    report_.damage = dataset_.damage().entries();
    for (const DamageLog::Entry& entry : damage_.entries()) report_.damage.push_back(entry);
    report_.damage.resize(std::min(report_.damage.size(), kListed));
    return std::move(report_);
  }

 private:
  void add_picture(const Sample& sample) {
    const image::Picture picture = image::decode(sample.picture.data, sample.key);
    const torch::Tensor& pixels = picture.pixels;
    ++report_.sizes[{pixels.size(1), pixels.size(0)}];
    ++report_.formats[sample.extension == "jpeg" ? "jpg" : sample.extension];
    if (picture.animated) ++report_.animated;
    if (pixels.size(2) == 4) ++report_.transparent;
    report_.picture_bytes += static_cast<int64_t>(sample.picture.data.size());
  }

  void add_captions(const std::vector<std::string>& captions) {
    const auto count = static_cast<int64_t>(captions.size());
    report_.captions += count;
    report_.fewest_captions = std::min(report_.fewest_captions, count);
    report_.most_captions = std::max(report_.most_captions, count);
    auto& longest = report_.longest_captions;
    for (const std::string& caption : captions) {
      if (!distinct_.insert(std::hash<std::string>()(caption)).second) continue;
      const auto place = std::find_if(longest.begin(), longest.end(), [&](const std::string& other) {
        return other.size() < caption.size();
      });
      longest.insert(place, caption);
      longest.resize(std::min(longest.size(), kLongestCaptions));
    }
  }

  void find_duplicate(int64_t index, const Sample& sample) {
    const auto [first, is_new] =
        first_with_.emplace(std::hash<std::string_view>()(sample.picture.text()), index);
    if (is_new || dataset_.picture(first->second).text() != sample.picture.text()) return;
    ++report_.duplicates;
    if (report_.duplicate_pairs.size() < kListed) {
      report_.duplicate_pairs.emplace_back(dataset_.key(first->second), sample.key);
    }
  }

  const Dataset& dataset_;
  DatasetReport report_;
  DamageLog damage_;
  std::set<size_t> distinct_;                       // hashes of captions
  std::unordered_map<size_t, int64_t> first_with_;  // hash of a picture's file → sample
};

}  // namespace

DatasetReport inspect(const Dataset& dataset, Progress& progress) {
  Inspector inspector(dataset);
  progress.begin("inspect", dataset.size());
  for (int64_t index = 0; index < dataset.size(); ++index) {
    progress.throw_if_stopped();
    inspector.add(index);
    progress.advance();
  }
  progress.end();
  return inspector.finish();
}

}  // namespace unclip::data
