#include "unclip/data/order.h"

#include <cmath>

#include "unclip/base/noise.h"

namespace unclip::data {
namespace {

__extension__ using Product = unsigned __int128;

/// A number in [0, bound) from 64 random bits: multiply-shift, whose bias is below bound / 2^64.
uint64_t below(uint64_t bits, uint64_t bound) {
  return static_cast<uint64_t>((static_cast<Product>(bits) * bound) >> 64);
}

}  // namespace

int64_t visits_in_epoch(double weight, int64_t epoch, double phase) {
  const auto e = static_cast<double>(epoch);
  return static_cast<int64_t>(std::floor(weight * (e + 1) + phase)) -
         static_cast<int64_t>(std::floor(weight * e + phase));
}

std::vector<Visit> epoch_order(std::span<const double> weights, uint64_t seed, int64_t epoch) {
  constexpr double kGoldenRatio = 0.6180339887498949;
  const double first_phase = random_bits({seed, stream_id("data phase"), 0}, 1)[0] * 0x1p-32;
  std::vector<Visit> order;
  for (size_t sample = 0; sample < weights.size(); ++sample) {
    const double phase = std::fmod(first_phase + static_cast<double>(sample) * kGoldenRatio, 1.0);
    for (int64_t n = visits_in_epoch(weights[sample], epoch, phase); n > 0; --n) {
      order.push_back({static_cast<int64_t>(sample), 0});
    }
  }
  const std::vector<uint32_t> bits =
      random_bits({seed, stream_id("data order"), static_cast<uint64_t>(epoch)}, 2 * order.size());
  for (size_t left = order.size(); left > 1; --left) {  // Fisher–Yates
    const uint64_t random = (uint64_t{bits[2 * left - 1]} << 32) | bits[2 * left - 2];
    std::swap(order[left - 1], order[below(random, left)]);
  }
  for (size_t i = 0; i < order.size(); ++i) order[i].position = static_cast<int64_t>(i);
  return order;
}

std::vector<Visit> rank_share(const std::vector<Visit>& order, int64_t rank, int64_t world_size) {
  std::vector<Visit> share;
  const auto per_rank = static_cast<int64_t>(order.size()) / world_size;
  share.reserve(static_cast<size_t>(per_rank));
  for (int64_t i = 0; i < per_rank; ++i) share.push_back(order[static_cast<size_t>(i * world_size + rank)]);
  return share;
}

}  // namespace unclip::data
