// Frozen layers give what the plain ones give, whatever sizes and types come in turn.
#include "support/close.h"
#include "unclip/nn/layers.h"

namespace unclip::nn {
namespace {

Tensor noise(std::initializer_list<int64_t> shape, uint64_t stream) {
  return normal_noise({5, stream, 0}, shape);
}

/// The largest difference of two results, over the largest of the expected values.
double relative_difference(const Tensor& got, const Tensor& expected) {
  return ((got - expected).abs().max() / expected.abs().max()).item<double>();
}

template <class Net>
void expect_same_when_frozen(const std::vector<Tensor>& inputs, const std::function<Net()>& make) {
  Net plain = make(), frozen = make();
  for (Net* net : {&plain, &frozen}) initialize_parameters(**net, 3);
  freeze_parameters(*frozen);
  const torch::NoGradGuard no_grad;
  for (const Tensor& x : inputs) {
    for (const torch::ScalarType dtype : {torch::kFloat32, torch::kBFloat16}) {
      const Tensor got = frozen(x.to(dtype));
      EXPECT_EQ(got.scalar_type(), dtype);
      const double tolerance = dtype == torch::kFloat32 ? 1e-5 : 2e-2;
      EXPECT_LT(relative_difference(got.to(torch::kFloat32), plain(x)), tolerance) << x.sizes();
    }
  }
}

TEST(Frozen, LinearIsTheSame) {
  for (const bool bias : {true, false}) {
    expect_same_when_frozen<Linear>(
        {noise({6, 48}, 1), noise({2, 9, 48}, 2), noise({48, 33}, 3).t(), noise({1, 48}, 4)},
        [=] { return Linear(48, 80, LinearOptions{.bias = bias}); });
  }
}

TEST(Frozen, ConvolutionIsTheSame) {
  for (const bool bias : {true, false}) {
    expect_same_when_frozen<Conv2d>(
        {noise({2, 20, 8, 8}, 1), noise({3, 20, 12, 10}, 2), noise({2, 20, 8, 8}, 3)},
        [=] { return Conv2d(20, 24, 3, Conv2dOptions{.padding = 1, .bias = bias}); });
  }
  expect_same_when_frozen<Conv2d>({noise({2, 16, 8, 8}, 4)},
                                  [] { return Conv2d(16, 8, 4, Conv2dOptions{.stride = 4}); });
}

TEST(Frozen, GradientsStillReachTheInput) {
  Linear linear(8, 4);
  initialize_parameters(*linear, 1);
  freeze_parameters(*linear);
  const Tensor x = noise({2, 8}, 1).requires_grad_();
  linear(x).sum().backward();
  EXPECT_CLOSE(x.grad(), linear->weight.sum(0).expand({2, 8}));
}

}  // namespace
}  // namespace unclip::nn
