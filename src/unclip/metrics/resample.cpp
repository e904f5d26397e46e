#include "unclip/metrics/resample.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "unclip/base/error.h"

namespace unclip::metrics {
namespace {

/// A whole number in 0 … bound − 1 from 32 random bits (Lemire 2019; the bias is below bound / 2³²).
int64_t bounded(uint32_t bits, int64_t bound) {
  return static_cast<int64_t>((static_cast<uint64_t>(bits) * static_cast<uint64_t>(bound)) >> 32);
}

torch::Tensor with_replacement(int64_t count, const NoiseKey& key) {
  const std::vector<uint32_t> bits = random_bits(key, static_cast<size_t>(count));
  torch::Tensor result = torch::empty({count}, torch::kInt64);
  std::ranges::transform(bits, result.data_ptr<int64_t>(), [&](uint32_t b) { return bounded(b, count); });
  return result;
}

}  // namespace

torch::Tensor random_subset(int64_t count, int64_t size, const NoiseKey& key) {
  check(size <= count, ErrorKind::data, "a subset of ", size, " cannot be taken from ", count);
  std::vector<int64_t> numbers(static_cast<size_t>(count));
  std::iota(numbers.begin(), numbers.end(), 0);
  const std::vector<uint32_t> bits = random_bits(key, static_cast<size_t>(size));
  for (int64_t i = 0; i < size; ++i)  // Fisher–Yates, as far as needed
    std::swap(numbers[size_t(i)], numbers[size_t(i + bounded(bits[size_t(i)], count - i))]);
  return torch::tensor(at::ArrayRef<int64_t>(numbers.data(), size_t(size)), torch::kInt64);
}

Estimate bootstrap(const torch::Tensor& values,
                   const std::function<double(const torch::Tensor&)>& statistic,
                   const BootstrapOptions& options) {
  check(values.dim() == 1 && values.size(0) >= 1, ErrorKind::shape,
        "a bootstrap needs values [N], got shape ", values.sizes());
  const torch::Tensor x = values.to(torch::kFloat64);
  std::vector<double> drawn;
  for (int64_t i = 0; i < options.resamples; ++i) {
    const NoiseKey key{options.seed, stream_id("bootstrap"), uint64_t(i)};
    drawn.push_back(statistic(x.index_select(0, with_replacement(x.size(0), key))));
  }
  std::ranges::sort(drawn);
  const double tail = (1 - options.level) / 2, last = static_cast<double>(drawn.size() - 1);
  const auto at = [&](double share) { return drawn[static_cast<size_t>(std::lround(share * last))]; };
  return {statistic(x), at(tail), at(1 - tail)};
}

Estimate bootstrap_mean(const torch::Tensor& values, const BootstrapOptions& options) {
  return bootstrap(
      values, [](const torch::Tensor& x) { return x.mean().item<double>(); }, options);
}

}  // namespace unclip::metrics
