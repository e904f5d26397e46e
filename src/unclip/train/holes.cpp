#include "unclip/train/holes.h"

#include <algorithm>
#include <cmath>

namespace unclip::train {
namespace {

constexpr double kWhole = 0.2;
constexpr int64_t kMostRectangles = 3;
constexpr double kShortest = 1.0 / 8, kLongest = 3.0 / 4;  // of the picture's side
constexpr int64_t kDraws = 2 + 4 * kMostRectangles;

/// First and last + 1 of a stretch around a place anywhere in 0…size, cut where the picture ends.
std::pair<int64_t, int64_t> stretch(int64_t size, double place, double length) {
  const double middle = place * static_cast<double>(size);
  const double half = (kShortest + length * (kLongest - kShortest)) * static_cast<double>(size) / 2;
  const auto first = std::clamp<int64_t>(std::llround(middle - half), 0, size - 1);
  return {first, std::clamp<int64_t>(std::llround(middle + half), first + 1, size)};
}

}  // namespace

torch::Tensor random_holes(int64_t count, int64_t size, const NoiseKey& key) {
  const torch::Tensor draws = uniform_noise(key, {count, kDraws});
  const auto u = draws.accessor<float, 2>();
  torch::Tensor holes = torch::zeros({count, 1, size, size}, torch::kBool);
  for (int64_t i = 0; i < count; ++i) {
    if (u[i][0] < kWhole) {
      holes[i].fill_(true);
      continue;
    }
    const auto rectangles = 1 + static_cast<int64_t>(u[i][1] * static_cast<float>(kMostRectangles));
    for (int64_t r = 0; r < rectangles; ++r) {
      const auto* draw = draws.const_data_ptr<float>() + i * kDraws + 2 + 4 * r;
      const auto [top, bottom] = stretch(size, draw[0], draw[1]);
      const auto [left, right] = stretch(size, draw[2], draw[3]);
      holes[i].slice(1, top, bottom).slice(2, left, right).fill_(true);
    }
  }
  return holes;
}

}  // namespace unclip::train
