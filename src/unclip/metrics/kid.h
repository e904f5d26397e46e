// Kernel distance (KID when the features are Inception's): Bińkowski et al. 2018, §4.
#pragma once
#include <torch/types.h>

#include <cstdint>

#include "unclip/base/stop.h"

namespace unclip::metrics {

/// Unbiased estimate of the squared maximum mean discrepancy under k(x, y) = (xᵀy / D + 1)³ of rows [M, D]
/// and [N, D], in float64; it may be negative. Error(data) for fewer than two rows.
double squared_mmd(const torch::Tensor& x, const torch::Tensor& y);

struct KernelDistanceOptions {
  int64_t subsets = 100;
  int64_t subset_size = 1000;  // at most; of smaller sets each subset is half, so that subsets differ
  uint64_t seed = 0;
  StopToken stop = {};  // asked before each subset
};

struct KernelDistance {
  double value = 0;           // mean over subsets, as biased as each of them: not at all
  double standard_error = 0;  // of that mean, as if the subsets had nothing in common
  int64_t subset_size = 0;
};

/// Squared MMD over random subsets of both sets. Error(shape) for different widths, Error(data) for fewer
/// than four rows in one of them.
KernelDistance kernel_distance(const torch::Tensor& x,
                               const torch::Tensor& y,
                               const KernelDistanceOptions& options = {});

}  // namespace unclip::metrics
