// Differences between two sets of drawings, with their confidence intervals: what verdicts rest on.
//
// Both sets are drawn for the same captions from the same seeds, so differences are taken picture by picture
// and the bootstrap draws captions.
#pragma once
#include <functional>

#include "unclip/metrics/resample.h"

namespace unclip::study {

/// Fréchet distance of features `a` to `real` minus that of `b`, [N, D] each. Few pictures make both larger
/// by about as much.
metrics::Estimate frechet_difference(const torch::Tensor& a,
                                     const torch::Tensor& b,
                                     const torch::Tensor& real,
                                     uint64_t seed);
/// Mean of a − b, [N] each.
metrics::Estimate mean_difference(const torch::Tensor& a, const torch::Tensor& b, uint64_t seed);
/// Mean of values [N].
metrics::Estimate mean(const torch::Tensor& values, uint64_t seed);

/// Cosines of rows of unit length: [N, D] and [N, D] -> float64 [N].
torch::Tensor row_cosines(const torch::Tensor& a, const torch::Tensor& b);
/// Indicators float64 [N]: whether row k of `queries` is nearer to row k of `targets` than to any other.
torch::Tensor finds_own(const torch::Tensor& queries, const torch::Tensor& targets);
/// Of each row, its mean cosine with all rows of the others: what pictures that have nothing to do with each
/// other have in common. float64 [N]
torch::Tensor cosines_with_others(const torch::Tensor& rows);

}  // namespace unclip::study
