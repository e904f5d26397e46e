// Finding one's own among many: the rank of a picture among all for its caption, or the other way round.
#pragma once
#include <torch/types.h>

#include <cstdint>

#include "unclip/base/stop.h"

namespace unclip::metrics {

/// From scores [N, M] whose row r has its own in column first + r: 1 + how many score higher, int64 [N].
torch::Tensor ranks_of_own(const torch::Tensor& scores, int64_t first = 0);

/// The same for cosines of `queries` [N, D] with `targets` [N, D], in blocks: row r belongs to row r.
torch::Tensor retrieval_ranks(const torch::Tensor& queries,
                              const torch::Tensor& targets,
                              const StopToken& stop = {});

/// R@k: share of ranks that are at most k.
double recall_at(const torch::Tensor& ranks, int64_t k);
/// The lower one of the two in the middle where they differ.
double median_rank(const torch::Tensor& ranks);

}  // namespace unclip::metrics
