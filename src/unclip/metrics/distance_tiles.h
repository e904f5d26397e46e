// Squared distances between the rows of two matrices, tile by tile. Internal to this room.
#pragma once
#include <torch/types.h>

#include <functional>

#include "unclip/base/stop.h"

namespace unclip::metrics {

/// Rows in float32, moved to a common centre: distances come from differences of large products, so small
/// norms lose fewer digits.
struct Rows {
  torch::Tensor values;  // float32 [N, D]
  torch::Tensor norms;   // float32 [N]: squared
  int64_t size() const { return values.size(0); }
  int64_t width() const { return values.size(1); }
};

Rows centred_rows(const torch::Tensor& features, const torch::Tensor& centre);

struct Tile {
  int64_t row, column;    // of its first element
  int64_t rows, columns;  // extent
  const float* squared;   // [rows, columns], with errors up to `rounding` of the two norms' sum
};

/// Relative to ‖a‖² + ‖b‖²; measured errors stay below a tenth of it up to a width of 4096.
constexpr float kRounding = 1e-5F;

/// Calls `on_tile` for tiles that together hold every pair, all columns of a row block before the next one.
void for_each_tile(const Rows& a,
                   const Rows& b,
                   const StopToken& stop,
                   const std::function<void(const Tile&)>& on_tile);

/// One squared distance in float64.
double exact_squared_distance(const Rows& a, int64_t i, const Rows& b, int64_t j);

}  // namespace unclip::metrics
