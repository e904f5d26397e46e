#include "unclip/metrics/distance_tiles.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace unclip::metrics {
namespace {

constexpr int64_t kLanes = 8;
constexpr int64_t kTileRows = 512, kTileColumns = 1024;  // 2 MB: a tile is read while it is in the cache

}  // namespace

Rows centred_rows(const torch::Tensor& features, const torch::Tensor& centre) {
  const torch::Tensor values = (features.to(torch::kFloat32) - centre).contiguous();
  return {values, values.square().sum(1)};
}

void for_each_tile(const Rows& a,
                   const Rows& b,
                   const StopToken& stop,
                   const std::function<void(const Tile&)>& on_tile) {
  for (int64_t i = 0; i < a.size(); i += kTileRows) {
    stop.throw_if_stopped();
    const int64_t rows = std::min(kTileRows, a.size() - i);
    const torch::Tensor left = a.values.slice(0, i, i + rows);
    const torch::Tensor left_norms = a.norms.slice(0, i, i + rows).unsqueeze(1);
    for (int64_t j = 0; j < b.size(); j += kTileColumns) {
      const int64_t columns = std::min(kTileColumns, b.size() - j);
      // ‖a − b‖² = ‖a‖² + ‖b‖² − 2 aᵀb
      torch::Tensor squared = left_norms + b.norms.slice(0, j, j + columns);
      squared.addmm_(left, b.values.slice(0, j, j + columns).t(), 1, -2);
      on_tile({i, j, rows, columns, squared.data_ptr<float>()});
    }
  }
}

double exact_squared_distance(const Rows& a, int64_t i, const Rows& b, int64_t j) {
  const float* x = a.values.data_ptr<float>() + i * a.width();
  const float* y = b.values.data_ptr<float>() + j * b.width();
  std::array<double, kLanes> sums{};  // side by side, so that they vectorise
  int64_t d = 0;
  for (; d + kLanes <= a.width(); d += kLanes) {
    for (int64_t k = 0; k < kLanes; ++k) {
      const double difference = static_cast<double>(x[d + k]) - static_cast<double>(y[d + k]);
      sums[size_t(k)] += difference * difference;
    }
  }
  for (; d < a.width(); ++d) {
    const double difference = static_cast<double>(x[d]) - static_cast<double>(y[d]);
    sums[0] += difference * difference;
  }
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

}  // namespace unclip::metrics
