// The token that tells the autoregressive prior how near z_i is to the caption: z_i·z_t, quantised (unCLIP
// §2.2). In training it is the pair's own; in sampling it is drawn from the upper part of what training saw.
//
// The paper leaves the bins open. Here each holds as many training pairs as any other, so that the top half
// of the distribution is the upper half of the bins, each as likely as the next.
#pragma once
#include <torch/types.h>

namespace unclip::prior {

/// z_i·z_t of embeddings of unit length, row by row: [N, D] and [N, D] -> [N], in −1…1.
torch::Tensor dot_product(const torch::Tensor& z_i, const torch::Tensor& z_t);

/// Edges [bins − 1] between bins with equal shares of `dots` [M]. Error(data) with fewer values than bins.
torch::Tensor dot_product_edges(const torch::Tensor& dots, int64_t bins);

/// The bin of each value: [N] -> int64 [N], 0…bins − 1.
torch::Tensor dot_product_token(const torch::Tensor& dots, const torch::Tensor& edges);

/// A bin drawn from those above `percentile` (0…1; the paper: 0.5, better than 0.7, 0.85 and 0.95), all as
/// likely as each other: uniform numbers u [N] in [0, 1) -> int64 [N].
torch::Tensor draw_dot_product_token(const torch::Tensor& u, int64_t bins, double percentile);

}  // namespace unclip::prior
