// z_i as the sequence of numbers that the autoregressive prior writes (unCLIP §2.2): its coordinates along
// the principal components, most important first, each sorted into one of 1,024 buckets.
//
// The paper leaves the buckets' edges open. Here they are equally wide between −range and +range standard
// deviations of each coordinate: one bucket number means the same z-score in every component, so that all of
// them can share one embedding table, and the error has a bound.
#pragma once
#include <torch/types.h>

namespace unclip::prior {

struct EmbeddingCode {
  torch::Tensor mean;   // [D]
  torch::Tensor basis;  // [K, D], orthonormal rows
  torch::Tensor std;    // [K], standard deviation along each
  int64_t buckets = 1024;
  double range = 5.0;

  int64_t length() const { return basis.size(0); }
  /// z [N, D] -> bucket numbers int64 [N, K]. What lies beyond the range goes into the outermost bucket.
  torch::Tensor encode(const torch::Tensor& z) const;
  /// The middle of each bucket: [N, K] -> [N, D]. A coordinate within the range comes back with an error of
  /// at most half a bucket, range · std / buckets.
  torch::Tensor decode(const torch::Tensor& codes) const;
};

}  // namespace unclip::prior
