// Makes one training sample: from the data set or the cache, augmented, with one of its captions. Internal.
#pragma once
#include <atomic>
#include <memory>
#include <shared_mutex>
#include <string>
#include <vector>

#include "unclip/data/loader.h"

namespace unclip::data {

/// Decoded square pictures, kept until the budget is used up.
class PictureCache {
 public:
  PictureCache(int64_t samples, int64_t bytes)
      : pictures_(static_cast<size_t>(samples)), bytes_left_(bytes) {}
  /// Undefined if `sample` is not kept.
  torch::Tensor find(int64_t sample) const;
  void keep(int64_t sample, const torch::Tensor& picture);

 private:
  mutable std::shared_mutex mutex_;
  std::vector<torch::Tensor> pictures_;
  int64_t bytes_left_;
};

struct TrainingSample {
  int64_t sample;  // the one asked for, or its replacement
  std::string caption;
  SamplePixels pixels;
};

/// Safe to use from several threads.
class SampleReader {
 public:
  SampleReader(std::shared_ptr<const Dataset> dataset, const LoaderConfig& config, Degradation degradation);

  /// `key` is the visit's own source of random numbers. A damaged picture is logged and the next usable
  /// sample of weight > 0 taken instead. Error(data) if a thousand in a row are damaged.
  TrainingSample read(int64_t sample, const NoiseKey& key);
  const DamageLog& damage() const { return damage_; }

 private:
  torch::Tensor square(int64_t sample);
  int64_t next_weighted(int64_t sample) const;

  std::shared_ptr<const Dataset> dataset_;
  PictureConfig config_;
  Degradation degradation_;
  PictureCache cache_;
  DamageLog damage_;
};

}  // namespace unclip::data
