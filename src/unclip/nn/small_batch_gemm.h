// x · Wᵀ for few rows x: what a step of a cached transformer costs is reading every weight once. Here the
// weights lie in the order in which they are read, in float32 or bfloat16, and are multiplied in float32 as
// they arrive; several streams from memory at a time, because one alone does not fill a core's bandwidth.
#pragma once
#include <torch/types.h>

#include <cstdint>

namespace unclip::nn {

/// Up to how many rows StreamedWeight is the faster way here (0 on processors without AVX-512).
int64_t small_batch_limit(torch::ScalarType dtype);

/// A weight matrix [out, in] in reading order, zeros added to fill panels of columns and streams.
class StreamedWeight {
 public:
  StreamedWeight() = default;
  /// Keeps the elements of `weight` as `dtype`, float32 or bfloat16.
  StreamedWeight(const torch::Tensor& weight, torch::ScalarType dtype);
  bool defined() const { return panels_.defined(); }
  torch::ScalarType dtype() const { return panels_.scalar_type(); }

  /// x [..., in] of any type -> x · Wᵀ + bias [..., out] in the same. Sums are float32, and their order
  /// depends neither on the number of rows nor on that of threads. bias: float32 [out] or undefined.
  torch::Tensor multiply(const torch::Tensor& x, const torch::Tensor& bias) const;

 private:
  torch::Tensor panels_;  // [panels, in, 64], see small_batch_gemm_kernels.h
  int64_t in_ = 0, out_ = 0;
};

}  // namespace unclip::nn
