#include "unclip/metrics/moments.h"

#include <algorithm>

#include "unclip/base/error.h"

namespace unclip::metrics {
namespace {

constexpr int64_t kBlock = 4096;  // rows in float64 at a time

}  // namespace

Moments::Moments(int64_t width)
    : mean_(torch::zeros({width}, torch::kFloat64)),
      scatter_(torch::zeros({width, width}, torch::kFloat64)) {}

void Moments::add(const torch::Tensor& features) {
  check(features.dim() == 2 && features.size(1) == width(), ErrorKind::shape, "features have shape ",
        features.sizes(), ", expected [N, ", width(), "]");
  for (int64_t first = 0; first < features.size(0); first += kBlock) {
    const torch::Tensor x =
        features.slice(0, first, std::min(first + kBlock, features.size(0))).to(torch::kFloat64);
    const torch::Tensor mean = x.mean(0), centred = x - mean, shift = mean - mean_;
    check(mean.isfinite().all().item<bool>(), ErrorKind::numeric,
          "features hold values that are infinite or not a number");
    // Chan, Golub & LeVeque 1979: two groups' scatters add up, plus that of their means.
    const auto n = static_cast<double>(count_), m = static_cast<double>(x.size(0));
    scatter_.addmm_(centred.t(), centred).addr_(shift, shift, 1, n * m / (n + m));
    mean_.add_(shift, m / (n + m));
    count_ += x.size(0);
  }
}

Gaussian Moments::gaussian() const {
  check(count_ >= 2, ErrorKind::data, "a covariance needs at least two pictures, got ", count_);
  return {mean_.clone(), scatter_ / static_cast<double>(count_ - 1)};
}

Gaussian fit_gaussian(const torch::Tensor& features) {
  Moments moments(features.size(1));
  moments.add(features);
  return moments.gaussian();
}

}  // namespace unclip::metrics
