#include "unclip/metrics/manifold.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "unclip/base/error.h"
#include "unclip/metrics/distance_tiles.h"

namespace unclip::metrics {
namespace {

/// The k smallest squared distances of each row so far, ascending.
class Nearest {
 public:
  Nearest(int64_t rows, int64_t k)
      : k_(k), values_(static_cast<size_t>(rows * k), std::numeric_limits<double>::infinity()) {}

  double farthest(int64_t row) const { return values_[static_cast<size_t>(row * k_ + k_ - 1)]; }
  void insert(int64_t row, double value) {
    const auto end = values_.begin() + (row + 1) * k_;
    const auto place = std::upper_bound(end - k_, end, value);
    if (place == end) return;
    std::move_backward(place, end - 1, end);
    *place = value;
  }

 private:
  int64_t k_;
  std::vector<double> values_;
};

/// Takes the tile's distances of row `row + r` into `nearest`.
void add_neighbours(const Rows& x, const Tile& tile, int64_t r, Nearest& nearest) {
  const int64_t i = tile.row + r;
  const float* squared = tile.squared + r * tile.columns;
  const float* norms = x.norms.data_ptr<float>();
  auto limit = static_cast<float>(nearest.farthest(i)) + kRounding * norms[i];
  for (int64_t c = 0; c < tile.columns; ++c) {
    const int64_t j = tile.column + c;
    if (squared[c] - kRounding * norms[j] > limit || i == j) continue;
    nearest.insert(i, exact_squared_distance(x, i, x, j));
    limit = static_cast<float>(nearest.farthest(i)) + kRounding * norms[i];
  }
}

torch::Tensor squared_radii_of(const Rows& x, int64_t k, const StopToken& stop) {
  check(x.size() > k, ErrorKind::data, "balls that reach to the ", k, "rd neighbour need more than ", k,
        " pictures, got ", x.size());
  Nearest nearest(x.size(), k);
  for_each_tile(x, x, stop, [&](const Tile& tile) {
    at::parallel_for(0, tile.rows, 16, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) add_neighbours(x, tile, r, nearest);
    });
  });
  torch::Tensor result = torch::empty({x.size()}, torch::kFloat64);
  for (int64_t i = 0; i < x.size(); ++i) result.data_ptr<double>()[i] = nearest.farthest(i);
  return result;
}

/// Which pairs of a tile are closer than a radius.
class Ball {
 public:
  Ball(const Rows& drawn, const Rows& real)
      : drawn_(drawn),
        real_(real),
        drawn_norms_(drawn.norms.data_ptr<float>()),
        real_norms_(real.norms.data_ptr<float>()) {}
  bool holds(const Tile& tile, int64_t r, int64_t c, double squared_radius) const {
    const float squared = tile.squared[r * tile.columns + c], radius = static_cast<float>(squared_radius);
    const int64_t i = tile.row + r, j = tile.column + c;
    const float rounding = kRounding * (drawn_norms_[i] + real_norms_[j]);
    if (squared > radius + rounding) return false;
    if (squared < radius - rounding) return true;
    return exact_squared_distance(drawn_, i, real_, j) <= squared_radius;
  }

 private:
  const Rows& drawn_;
  const Rows& real_;
  const float* drawn_norms_;
  const float* real_norms_;
};

/// Balls of real pictures around each drawn one: rows of a tile are independent.
void count_balls(const Ball& ball, const Tile& tile, const double* real_radii, double* counts) {
  at::parallel_for(0, tile.rows, 16, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      int64_t count = 0;
      for (int64_t c = 0; c < tile.columns; ++c)
        count += static_cast<int64_t>(ball.holds(tile, r, c, real_radii[tile.column + c]));
      counts[tile.row + r] += static_cast<double>(count);
    }
  });
}

struct ColumnFlags {
  double* recalled;
  double* covered;
};

/// What a tile says about real pictures: columns of a tile are independent.
void flag_columns(const Ball& ball,
                  const Tile& tile,
                  const double* drawn_radii,
                  const double* real_radii,
                  const ColumnFlags& flags) {
  at::parallel_for(0, tile.columns, 64, [&](int64_t begin, int64_t end) {
    for (int64_t r = 0; r < tile.rows; ++r) {
      for (int64_t c = begin; c < end; ++c) {
        const int64_t j = tile.column + c;
        if (flags.recalled[j] == 0 && ball.holds(tile, r, c, drawn_radii[tile.row + r]))
          flags.recalled[j] = 1;
        if (flags.covered[j] == 0 && ball.holds(tile, r, c, real_radii[j])) flags.covered[j] = 1;
      }
    }
  });
}

}  // namespace

torch::Tensor squared_radii(const torch::Tensor& features, int64_t k) {
  return squared_radii_of(centred_rows(features, features.to(torch::kFloat32).mean(0)), k, {});
}

Manifolds compare_manifolds(const torch::Tensor& drawn,
                            const torch::Tensor& real,
                            int64_t k,
                            const StopToken& stop) {
  check(drawn.size(1) == real.size(1), ErrorKind::shape, "features of width ", drawn.size(1),
        " are compared with features of width ", real.size(1), ": both must come from the same network");
  const torch::Tensor centre = real.to(torch::kFloat32).mean(0);
  const Rows a = centred_rows(drawn, centre), b = centred_rows(real, centre);
  const torch::Tensor drawn_radii = squared_radii_of(a, k, stop), real_radii = squared_radii_of(b, k, stop);
  const auto zeros = [](const Rows& rows) { return torch::zeros({rows.size()}, torch::kFloat64); };
  Manifolds result{.precise = {}, .recalled = zeros(b), .densities = zeros(a), .covered = zeros(b)};
  const Ball ball(a, b);
  const ColumnFlags flags{result.recalled.data_ptr<double>(), result.covered.data_ptr<double>()};
  for_each_tile(a, b, stop, [&](const Tile& tile) {
    count_balls(ball, tile, real_radii.data_ptr<double>(), result.densities.data_ptr<double>());
    flag_columns(ball, tile, drawn_radii.data_ptr<double>(), real_radii.data_ptr<double>(), flags);
  });
  result.precise = result.densities.gt(0).to(torch::kFloat64);
  result.densities /= static_cast<double>(k);
  return result;
}

}  // namespace unclip::metrics
