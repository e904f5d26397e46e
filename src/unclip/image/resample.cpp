#include "unclip/image/resample.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

#include "unclip/base/instruction_sets.h"

namespace unclip::image {
namespace {

constexpr int kBits = 22;
constexpr int32_t kHalf = 1 << (kBits - 1);

double sinc(double x) {
  const double a = x * std::numbers::pi;
  return x == 0 ? 1 : std::sin(a) / a;
}

double cubic(double x) {  // Keys 1981 with a = −0.5
  constexpr double kA = -0.5;
  if (x < 1) return ((kA + 2) * x - (kA + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * kA : 0;
}

double support(Filter filter) {
  switch (filter) {
    case Filter::box:
      return 0.5;
    case Filter::bilinear:
      return 1;
    case Filter::bicubic:
      return 2;
    case Filter::lanczos:
      return 3;
  }
  return 0;
}

double value(Filter filter, double x) {
  switch (filter) {
    case Filter::box:
      return x > -0.5 && x <= 0.5 ? 1 : 0;
    case Filter::bilinear:
      return std::max(0.0, 1 - std::abs(x));
    case Filter::bicubic:
      return cubic(std::abs(x));
    case Filter::lanczos:
      return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
  }
  return 0;
}

uint8_t to_byte(int32_t sum) { return static_cast<uint8_t>(std::clamp(sum >> kBits, 0, 255)); }

template <int kChannels>
void resample_row_of(const uint8_t* in, const AxisWeights& axis, uint8_t* out) {
  // Four lanes also for three channels: the fourth reads the next pixel's first byte and is dropped.
  constexpr int kLanes = kChannels == 1 ? 1 : 4;
  for (size_t x = 0; x < axis.begin.size(); ++x, out += kChannels) {
    const uint8_t* pixel = in + axis.begin[x] * kChannels;
    const int32_t* weights = axis.weights.data() + static_cast<int64_t>(x) * axis.taps;
    int32_t sums[kLanes];
    std::fill_n(sums, kLanes, kHalf);
    for (int64_t k = 0; k < axis.count[x]; ++k, pixel += kChannels) {
      for (int c = 0; c < kLanes; ++c) sums[c] += pixel[c] * weights[k];
    }
    for (int c = 0; c < kChannels; ++c) out[c] = to_byte(sums[c]);
  }
}

}  // namespace

AxisWeights::AxisWeights(int64_t in, int64_t out, Filter filter) {
  const double scale = static_cast<double>(in) / static_cast<double>(out);
  const double stretch = std::max(scale, 1.0);  // enlarging does not blur
  const double reach = support(filter) * stretch;
  taps = static_cast<int64_t>(std::ceil(reach)) * 2 + 1;
  weights.assign(static_cast<size_t>(out * taps), 0);
  std::vector<double> exact(static_cast<size_t>(taps));
  for (int64_t i = 0; i < out; ++i) {
    const double center = (static_cast<double>(i) + 0.5) * scale;
    const auto first = std::max<int64_t>(0, static_cast<int64_t>(std::floor(center - reach + 0.5)));
    const auto last = std::min<int64_t>(in, static_cast<int64_t>(std::floor(center + reach + 0.5)));
    double sum = 0;
    for (int64_t k = 0; k < last - first; ++k) {
      exact[k] = value(filter, (static_cast<double>(k + first) - center + 0.5) * (1.0 / stretch));
      sum += exact[k];
    }
    for (int64_t k = 0; k < last - first; ++k) {
      const double weight = (sum == 0 ? exact[k] : exact[k] / sum) * (1 << kBits);
      weights[i * taps + k] = static_cast<int32_t>(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
    begin.push_back(first);
    count.push_back(last - first);
  }
}

UNCLIP_CLONES void resample_row(const uint8_t* in, int64_t channels, const AxisWeights& axis, uint8_t* out) {
  if (channels == 1) {
    resample_row_of<1>(in, axis, out);
  } else if (channels == 3) {
    resample_row_of<3>(in, axis, out);
  } else {
    resample_row_of<4>(in, axis, out);
  }
}

UNCLIP_CLONES void resample_column(
    const uint8_t* in, int64_t row_bytes, const AxisWeights& axis, int64_t y, uint8_t* out) {
  constexpr int64_t kBlock = 512;
  int32_t sums[kBlock];
  const int32_t* weights = axis.weights.data() + y * axis.taps;
  for (int64_t start = 0; start < row_bytes; start += kBlock) {
    const int64_t size = std::min(kBlock, row_bytes - start);
    std::fill_n(sums, size, kHalf);
    const uint8_t* row = in + axis.begin[y] * row_bytes + start;
    for (int64_t k = 0; k < axis.count[y]; ++k, row += row_bytes) {
      const int32_t weight = weights[k];
      for (int64_t i = 0; i < size; ++i) sums[i] += row[i] * weight;
    }
    for (int64_t i = 0; i < size; ++i) out[start + i] = to_byte(sums[i]);
  }
}

}  // namespace unclip::image
