// What the trainer must know of a model: its loss on a batch and how to judge it. One implementation per
// stage.
#pragma once
#include <torch/nn/module.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "unclip/base/noise.h"
#include "unclip/data/loader.h"

namespace unclip::train {

using Metrics = std::vector<std::pair<std::string, double>>;

struct StepLoss {
  torch::Tensor loss;  // a scalar to minimise
  Metrics metrics;     // for the log, beside the loss
};

class Stage {
 public:
  virtual ~Stage() = default;
  virtual torch::nn::Module& network() = 0;
  /// Once, before the first step of a new run: statistics of the data that the model stores.
  virtual void prepare(data::Loader& /*loader*/) {}
  /// `key` is this step's own source of random numbers.
  virtual StepLoss loss(const data::Batch& batch, const NoiseKey& key) = 0;
  /// After each update.
  virtual void after_update() {}
  /// Figures on held-out data, and a picture to look at, written to `sheet` (a .png path). Called with the
  /// averaged weights in place.
  virtual Metrics evaluate(const std::filesystem::path& sheet) = 0;
};

}  // namespace unclip::train
