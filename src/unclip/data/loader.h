// Batches for training: decoded, augmented and collected in worker threads, in an order that can be resumed
// exactly.
#pragma once
#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "unclip/base/noise.h"
#include "unclip/data/damage.h"
#include "unclip/data/dataset.h"
#include "unclip/data/picture.h"

namespace unclip::data {

struct LoaderConfig {
  int64_t batch_size = 64;
  int64_t workers = 2;
  int64_t prefetch = 4;
  int64_t cache_mb = 1024;
  PictureConfig picture;
  static void fields(auto& self, auto&& field) {
    field("batch_size", self.batch_size, "pictures in a batch of one process");
    field("workers", self.workers, "threads that decode and augment");
    field("prefetch", self.prefetch, "batches made ahead of training");
    field("cache_mb", self.cache_mb, "memory for decoded pictures, in MiB; 0: decode each time");
    field("picture", self.picture, "");
  }
  /// Error(config) if a value is out of range.
  void validate() const;
};

/// Where training stands in the data: the next visit of this process. Together with the seed and the number
/// of processes it fixes everything that follows.
struct LoaderState {
  int64_t epoch = 0;
  int64_t index = 0;  // visits of this epoch already used by this process
  static void fields(auto& self, auto&& field) {
    field("epoch", self.epoch, "passes over the data that are complete");
    field("index", self.index, "samples of this pass already used by each process");
  }
  bool operator==(const LoaderState&) const = default;
};

/// What the order of samples depends on besides the data set: the same for all processes, but for the rank.
struct LoaderSeed {
  uint64_t seed = 0;
  int64_t rank = 0;
  int64_t world_size = 1;
};

struct Batch {
  torch::Tensor pictures;                // uint8 [N, 3, H, W], channels-last in memory
  std::optional<torch::Tensor> low_res;  // uint8 [N, 3, h, w] if the configuration asks for it
  std::vector<std::string> captions;  // one of each sample's, drawn anew at each visit; "" where it has none
  std::vector<int64_t> samples;       // indices in the data set
  LoaderState next;                   // where the batch after this one begins
};

/// Changes a low-resolution picture, uint8 [h, w, 3], for instance by blur (unCLIP §2.1); runs in the
/// workers.
using Degradation = std::function<torch::Tensor(const torch::Tensor& low_res, const NoiseKey& key)>;

/// An endless stream of full batches: a batch that reaches the end of an epoch goes on in the next. A
/// sample's caption and augmentation depend on (seed, epoch, its place in the epoch) alone, not on threads,
/// batch size or number of processes. A damaged picture is replaced by the next usable sample of the data
/// set.
class Loader {
 public:
  Loader(std::shared_ptr<const Dataset> dataset,
         const LoaderConfig& config,
         const LoaderSeed& seed,
         const LoaderState& start = {},
         Degradation degradation = nullptr);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// The next batch; waits for the workers if none is ready. Error(data) if no usable picture can be found.
  Batch next();
  /// After the last batch that next() returned: save it with the checkpoint, give it to the constructor to go
  /// on.
  LoaderState state() const;
  /// Pictures that could not be decoded so far.
  const DamageLog& damage() const;
  /// How long next() has waited for data in all.
  double seconds_waited() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace unclip::data
