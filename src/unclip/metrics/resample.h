// Random subsets and the bootstrap, from seeds: the same figures at every call.
#pragma once
#include <torch/types.h>

#include <functional>

#include "unclip/base/noise.h"

namespace unclip::metrics {

/// `size` different numbers of 0 … count − 1, int64, in random order.
torch::Tensor random_subset(int64_t count, int64_t size, const NoiseKey& key);

struct BootstrapOptions {
  int64_t resamples = 1000;
  double level = 0.95;
  uint64_t seed = 0;
};

/// An estimate with its confidence interval.
struct Estimate {
  double value = 0, low = 0, high = 0;
};

/// Statistic of `values` [N] with its percentile bootstrap interval (Efron & Tibshirani 1993, §13.3): values
/// are drawn with replacement, the interval holds the middle `level` of what the statistic gives.
Estimate bootstrap(const torch::Tensor& values,
                   const std::function<double(const torch::Tensor&)>& statistic,
                   const BootstrapOptions& options = {});
/// Of the mean.
Estimate bootstrap_mean(const torch::Tensor& values, const BootstrapOptions& options = {});

}  // namespace unclip::metrics
