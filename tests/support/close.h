// Comparison of tensors in tests: two-sided, with the largest difference in the message.
#pragma once
#include <gtest/gtest.h>
#include <torch/types.h>

namespace unclip::testing {

/// Tolerance on |a − b| ≤ absolute + relative · max|b|: relative to the tensor's own largest value.
struct Tolerance {
  double absolute = 1e-6;
  double relative = 1e-5;
};

inline ::testing::AssertionResult close(const torch::Tensor& got,
                                        const torch::Tensor& expected,
                                        Tolerance tolerance = {}) {
  if (got.sizes() != expected.sizes()) {
    return ::testing::AssertionFailure() << "shape " << got.sizes() << ", expected " << expected.sizes();
  }
  if (expected.numel() == 0) return ::testing::AssertionSuccess();
  const torch::Tensor a = got.detach().to(torch::kFloat64), b = expected.detach().to(torch::kFloat64);
  const double difference = (a - b).abs().max().item<double>();
  const double allowed = tolerance.absolute + tolerance.relative * b.abs().max().item<double>();
  if (difference <= allowed) return ::testing::AssertionSuccess();  // NaN fails
  return ::testing::AssertionFailure() << "largest difference " << difference << ", allowed " << allowed
                                       << " (largest expected value " << b.abs().max().item<double>() << ")";
}

}  // namespace unclip::testing

#define EXPECT_CLOSE(...) EXPECT_TRUE(::unclip::testing::close(__VA_ARGS__))
