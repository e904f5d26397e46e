// Few rows times streamed weights: against double precision, whatever sizes, types and threads.
#include <ATen/Parallel.h>

#include "support/close.h"
#include "unclip/base/error.h"
#include "unclip/base/noise.h"
#include "unclip/nn/small_batch_gemm.h"

namespace unclip::nn {
namespace {

using torch::Tensor;

Tensor noise(std::initializer_list<int64_t> shape, uint64_t stream) {
  return normal_noise({6, stream, 0}, shape);
}

struct Case {
  int64_t rows, in, out;
};

// More and fewer rows than the kernel has registers for; widths that fill panels, streams and parts, and that
// do not.
const std::vector<Case> kCases{{1, 4, 64},   {2, 1, 1},    {3, 7, 65},    {4, 33, 130},
                               {5, 600, 70}, {6, 128, 64}, {13, 522, 96}, {26, 1030, 200}};

/// Expects x · Wᵀ + bias within `tolerance` of the largest value.
void compare(const Case& c, torch::ScalarType x_type, torch::ScalarType weight_type, double tolerance) {
  const Tensor x = noise({c.rows, c.in}, 1).to(x_type), weight = noise({c.out, c.in}, 2).to(weight_type);
  const Tensor bias = noise({c.out}, 3);
  const Tensor got = StreamedWeight(weight, weight_type).multiply(x, bias);
  EXPECT_EQ(got.scalar_type(), x_type);
  const Tensor expected =
      at::linear(x.to(torch::kFloat64), weight.to(torch::kFloat64), bias.to(torch::kFloat64));
  EXPECT_CLOSE(got, expected, {.absolute = 0, .relative = tolerance})
      << c.rows << " rows, " << c.in << " in, " << c.out << " out";
}

TEST(SmallBatchGemm, EqualDoublePrecision) {
  for (const Case& c : kCases) {
    compare(c, torch::kFloat32, torch::kFloat32, 1e-6);
    compare(c, torch::kFloat32, torch::kBFloat16, 1e-6);   // bfloat16 weights are multiplied exactly
    compare(c, torch::kBFloat16, torch::kBFloat16, 4e-3);  // but for the rounding of y
  }
}

TEST(SmallBatchGemm, WithoutBiasAndOfAnyShape) {
  const Tensor x = noise({2, 3, 40}, 1), weight = noise({9, 40}, 2);
  const Tensor got = StreamedWeight(weight, torch::kFloat32).multiply(x.transpose(0, 1), {});
  EXPECT_CLOSE(got, at::linear(x.transpose(0, 1), weight), {.absolute = 1e-5, .relative = 0});
}

TEST(SmallBatchGemm, ARowDoesNotDependOnOtherRowsOrThreads) {
  const Tensor x = noise({20, 300}, 1);
  const StreamedWeight weight(noise({500, 300}, 2), torch::kBFloat16);
  const Tensor all = weight.multiply(x, {});
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  for (int64_t row = 0; row < x.size(0); ++row)
    EXPECT_TRUE(torch::equal(weight.multiply(x.slice(0, row, row + 1), {})[0], all[row])) << row;
  at::set_num_threads(threads);
}

TEST(SmallBatchGemm, RefuseAnotherWidth) {
  EXPECT_THROW(StreamedWeight(noise({3, 4}, 1), torch::kFloat32).multiply(noise({2, 5}, 2), {}), Error);
}

}  // namespace
}  // namespace unclip::nn
