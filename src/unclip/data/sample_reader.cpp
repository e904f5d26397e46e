#include "unclip/data/sample_reader.h"

#include <mutex>

#include "unclip/base/error.h"

namespace unclip::data {
namespace {

constexpr int kMaxReplacements = 1000;

double unit(uint32_t bits) { return bits * 0x1p-32; }

std::string choose(std::vector<std::string>&& captions, uint32_t bits) {
  if (captions.empty()) return "";
  return std::move(captions[(uint64_t{bits} * captions.size()) >> 32]);
}

}  // namespace

torch::Tensor PictureCache::find(int64_t sample) const {
  const std::shared_lock lock(mutex_);
  return pictures_[static_cast<size_t>(sample)];
}

void PictureCache::keep(int64_t sample, const torch::Tensor& picture) {
  const std::unique_lock lock(mutex_);
  torch::Tensor& place = pictures_[static_cast<size_t>(sample)];
  if (place.defined() || bytes_left_ < picture.numel()) return;
  bytes_left_ -= picture.numel();
  place = picture;
}

SampleReader::SampleReader(std::shared_ptr<const Dataset> dataset,
                           const LoaderConfig& config,
                           Degradation degradation)
    : dataset_(std::move(dataset)),
      config_(config.picture),
      degradation_(std::move(degradation)),
      cache_(dataset_->size(), config.cache_mb << 20) {}

torch::Tensor SampleReader::square(int64_t sample) {
  torch::Tensor picture = cache_.find(sample);
  if (picture.defined()) return picture;
  picture = square_picture(dataset_->picture(sample).data, dataset_->key(sample), config_.size);
  cache_.keep(sample, picture);
  return picture;
}

int64_t SampleReader::next_weighted(int64_t sample) const {
  do {
    sample = (sample + 1) % dataset_->size();
  } while (dataset_->weights()[static_cast<size_t>(sample)] == 0);
  return sample;
}

TrainingSample SampleReader::read(int64_t sample, const NoiseKey& key) {
  const std::vector<uint32_t> bits = random_bits(key, 7);
  const AugmentationDraw draw{unit(bits[1]), unit(bits[2]), unit(bits[3]),
                              unit(bits[4]), unit(bits[5]), unit(bits[6])};
  for (int tries = 0; tries < kMaxReplacements; ++tries) {
    try {
      SamplePixels pixels = sample_pixels(square(sample), config_, draw);
      if (pixels.low_res && degradation_) pixels.low_res = degradation_(*pixels.low_res, key);
      return {sample, choose(dataset_->captions(sample), bits[0]), std::move(pixels)};
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::data && error.kind() != ErrorKind::io) throw;
      damage_.add(dataset_->key(sample), error.what());
    }
    sample = next_weighted(sample);
  }
  const DamageLog::Entry first = damage_.entries().front();
  fail(ErrorKind::data, kMaxReplacements, " samples in a row are damaged, the first of all is ", first.name,
       ": ", first.reason);
}

}  // namespace unclip::data
