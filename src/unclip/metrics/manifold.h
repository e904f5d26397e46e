// How well two sets of features cover each other: improved precision and recall (Kynkäänniemi et al. 2019,
// Eq. 1 and 2; the recall of unCLIP §5.5), density and coverage (Naeem et al. 2020, Eq. 3 and 4).
#pragma once
#include <torch/types.h>

#include <cstdint>

#include "unclip/base/stop.h"

namespace unclip::metrics {

constexpr int64_t kNeighbours = 3;  // k of Kynkäänniemi et al. 2019

/// Squared distance of each row to its k-th nearest other row: float64 [N]. Error(data) unless N > k.
torch::Tensor squared_radii(const torch::Tensor& features, int64_t k = kNeighbours);

/// Indicators, so that means and their confidence intervals come from one place.
struct Manifolds {
  torch::Tensor precise;    // float64 [M]: 1 where a drawn picture lies in the ball of some real one
  torch::Tensor recalled;   // float64 [N]: 1 where a real picture lies in the ball of some drawn one
  torch::Tensor densities;  // float64 [M]: balls of real pictures around a drawn one, over k
  torch::Tensor covered;    // float64 [N]: 1 where a real picture's ball holds some drawn one
  double precision() const { return precise.mean().item<double>(); }
  double recall() const { return recalled.mean().item<double>(); }
  double density() const { return densities.mean().item<double>(); }
  double coverage() const { return covered.mean().item<double>(); }
};

/// Drawn [M, D] against real [N, D] features, with distances in tiles, so that memory stays small. Float32
/// products find what is near; whatever lies within their rounding of a ball's surface is decided in float64.
/// Error(shape) for different widths, Error(data) unless both have more than k rows.
Manifolds compare_manifolds(const torch::Tensor& drawn,
                            const torch::Tensor& real,
                            int64_t k = kNeighbours,
                            const StopToken& stop = {});

}  // namespace unclip::metrics
