#include "unclip/metrics/kid.h"

#include <algorithm>

#include "unclip/base/error.h"
#include "unclip/metrics/resample.h"

namespace unclip::metrics {
namespace {

constexpr int64_t kFewestOfKernel = 4;

/// k(x, y) of Bińkowski et al. 2018, Eq. 3 with its usual γ = 1/D, coef 1 and degree 3.
torch::Tensor polynomial_kernel(const torch::Tensor& x, const torch::Tensor& y) {
  return (x.matmul(y.t()) / static_cast<double>(x.size(1)) + 1).pow(3);
}

/// Mean of k over the pairs of different rows.
double mean_within(const torch::Tensor& x) {
  const torch::Tensor kernel = polynomial_kernel(x, x);
  const auto n = static_cast<double>(x.size(0));
  return (kernel.sum() - kernel.trace()).item<double>() / (n * (n - 1));
}

}  // namespace

double squared_mmd(const torch::Tensor& x, const torch::Tensor& y) {
  check(x.size(1) == y.size(1), ErrorKind::shape, "features of width ", x.size(1),
        " are compared with features of width ", y.size(1), ": both must come from the same network");
  check(x.size(0) >= 2 && y.size(0) >= 2, ErrorKind::data,
        "a kernel distance needs two pictures on each side");
  const torch::Tensor a = x.to(torch::kFloat64), b = y.to(torch::kFloat64);
  return mean_within(a) + mean_within(b) - 2 * polynomial_kernel(a, b).mean().item<double>();
}

KernelDistance kernel_distance(const torch::Tensor& x,
                               const torch::Tensor& y,
                               const KernelDistanceOptions& options) {
  const int64_t smaller = std::min(x.size(0), y.size(0));
  check(smaller >= kFewestOfKernel, ErrorKind::data, "a kernel distance needs at least ", kFewestOfKernel,
        " pictures on each side, got ", smaller);
  const int64_t size = std::min(options.subset_size, smaller / 2);
  torch::Tensor values = torch::empty({options.subsets}, torch::kFloat64);
  for (int64_t i = 0; i < options.subsets; ++i) {
    options.stop.throw_if_stopped();
    const torch::Tensor of_x =
        random_subset(x.size(0), size, {options.seed, stream_id("kid.x"), uint64_t(i)});
    const torch::Tensor of_y =
        random_subset(y.size(0), size, {options.seed, stream_id("kid.y"), uint64_t(i)});
    values[i] = squared_mmd(x.index_select(0, of_x), y.index_select(0, of_y));
  }
  const double spread = options.subsets > 1 ? values.std().item<double>() : 0;
  return {values.mean().item<double>(), spread / std::sqrt(static_cast<double>(options.subsets)), size};
}

}  // namespace unclip::metrics
