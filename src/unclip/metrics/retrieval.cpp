#include "unclip/metrics/retrieval.h"

#include <algorithm>
#include <vector>

#include "unclip/base/error.h"
#include "unclip/clip/clip.h"

namespace unclip::metrics {
namespace {

constexpr int64_t kBlock = 1024;

}  // namespace

torch::Tensor ranks_of_own(const torch::Tensor& scores, int64_t first) {
  const torch::Tensor own = scores.diagonal(first).unsqueeze(1);
  return (scores > own).sum(1) + 1;
}

torch::Tensor retrieval_ranks(const torch::Tensor& queries,
                              const torch::Tensor& targets,
                              const StopToken& stop) {
  check(queries.sizes() == targets.sizes() && queries.size(0) > 0, ErrorKind::shape, "queries ",
        queries.sizes(), " and targets ", targets.sizes(), " must be as many of the same width");
  const torch::Tensor q = clip::normalized(queries), t = clip::normalized(targets).t();
  std::vector<torch::Tensor> ranks;
  for (int64_t first = 0; first < q.size(0); first += kBlock) {
    stop.throw_if_stopped();
    const torch::Tensor block = q.slice(0, first, std::min(first + kBlock, q.size(0)));
    ranks.push_back(ranks_of_own(block.matmul(t), first));
  }
  return torch::cat(ranks);
}

double recall_at(const torch::Tensor& ranks, int64_t k) {
  return ranks.le(k).to(torch::kFloat64).mean().item<double>();
}

double median_rank(const torch::Tensor& ranks) { return ranks.to(torch::kFloat64).median().item<double>(); }

}  // namespace unclip::metrics
