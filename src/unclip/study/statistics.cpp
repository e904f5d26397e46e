#include "unclip/study/statistics.h"

#include "unclip/base/error.h"
#include "unclip/metrics/fid.h"
#include "unclip/metrics/retrieval.h"

namespace unclip::study {
namespace {

constexpr int64_t kFrechetResamples = 200;  // each takes two eigendecompositions

}  // namespace

metrics::Estimate frechet_difference(const torch::Tensor& a,
                                     const torch::Tensor& b,
                                     const torch::Tensor& real,
                                     uint64_t seed) {
  check(a.sizes() == b.sizes(), ErrorKind::shape, "sets of features have shapes ", a.sizes(), " and ",
        b.sizes(), ", expected the same captions in both");
  const metrics::Gaussian reference = metrics::fit_gaussian(real);
  const auto distance = [&](const torch::Tensor& rows) {
    return metrics::frechet_distance(metrics::fit_gaussian(rows), reference);
  };
  const auto difference = [&](const torch::Tensor& numbers) {
    const torch::Tensor rows = numbers.to(torch::kLong);
    return distance(a.index_select(0, rows)) - distance(b.index_select(0, rows));
  };
  return metrics::bootstrap(torch::arange(a.size(0)), difference,
                            {.resamples = kFrechetResamples, .seed = seed});
}

metrics::Estimate mean_difference(const torch::Tensor& a, const torch::Tensor& b, uint64_t seed) {
  return metrics::bootstrap_mean(a - b, {.seed = seed});
}

metrics::Estimate mean(const torch::Tensor& values, uint64_t seed) {
  return metrics::bootstrap_mean(values, {.seed = seed});
}

torch::Tensor row_cosines(const torch::Tensor& a, const torch::Tensor& b) {
  return (a.to(torch::kFloat64) * b.to(torch::kFloat64)).sum(1);
}

torch::Tensor finds_own(const torch::Tensor& queries, const torch::Tensor& targets) {
  return (metrics::retrieval_ranks(queries, targets) == 1).to(torch::kFloat64);
}

torch::Tensor cosines_with_others(const torch::Tensor& rows) {
  const torch::Tensor x = rows.to(torch::kFloat64), all = x.matmul(x.t());
  return (all.sum(1) - all.diagonal()) / static_cast<double>(rows.size(0) - 1);
}

}  // namespace unclip::study
