// Mean and covariance of features that arrive in batches: memory does not grow with the number of pictures.
#pragma once
#include <torch/types.h>

#include <cstdint>

namespace unclip::metrics {

/// What a Gaussian is fitted to.
struct Gaussian {
  torch::Tensor mean;        // float64 [D]
  torch::Tensor covariance;  // float64 [D, D], unbiased
};

class Moments {
 public:
  explicit Moments(int64_t width);

  /// Rows [N, D] of any floating-point type. Error(shape) for another width, Error(numeric) for values that
  /// are infinite or not a number.
  void add(const torch::Tensor& features);
  int64_t count() const { return count_; }
  int64_t width() const { return mean_.size(0); }
  /// Error(data) for fewer than two rows: their covariance is not defined.
  Gaussian gaussian() const;

 private:
  int64_t count_ = 0;
  torch::Tensor mean_;     // float64 [D]
  torch::Tensor scatter_;  // float64 [D, D]: Σ (x − mean)(x − mean)ᵀ
};

/// The Gaussian of features [N, D] that are all in memory.
Gaussian fit_gaussian(const torch::Tensor& features);

}  // namespace unclip::metrics
