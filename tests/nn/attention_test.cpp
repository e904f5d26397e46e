#include "unclip/nn/attention.h"

#include "support/close.h"

namespace unclip::nn {
namespace {

/// Value and gradients of a weighted sum of `attend`'s result.
template <class Attend>
std::vector<Tensor> value_and_gradients(const std::vector<Tensor>& inputs, const Attend& attend) {
  std::vector<Tensor> leaves;
  leaves.reserve(inputs.size());
  for (const Tensor& t : inputs) leaves.push_back(t.clone().set_requires_grad(true));
  const Tensor y = attend(leaves[0], leaves[1], leaves[2]);
  (y * normal_noise({9, 9, 9}, y.sizes())).sum().backward();
  return {y.detach(), leaves[0].grad(), leaves[1].grad(), leaves[2].grad()};
}

// Training computes short sequences step by step, drawing uses LibTorch's fused kernel: both are the same
// function.
TEST(Attention, EqualsLibTorchsInValueAndGradient) {
  const std::vector<Tensor> qkv{normal_noise({1, 1, 0}, {2, 3, 5, 8}), normal_noise({1, 2, 0}, {2, 3, 7, 8}),
                                normal_noise({1, 3, 0}, {2, 3, 7, 8})};
  const Tensor some = normal_noise({1, 4, 0}, {2, 1, 5, 7}) > -0.5;
  const Tensor mask = some.logical_or(torch::arange(7) == 0);  // each row may look somewhere
  for (const auto& m : {std::optional<Tensor>(), std::optional<Tensor>(mask)}) {
    const auto ours = value_and_gradients(
        qkv, [&](const Tensor& q, const Tensor& k, const Tensor& v) { return attention(q, k, v, m); });
    const auto theirs = value_and_gradients(qkv, [&](const Tensor& q, const Tensor& k, const Tensor& v) {
      return at::scaled_dot_product_attention(q, k, v, m);
    });
    for (size_t i = 0; i < ours.size(); ++i) EXPECT_CLOSE(ours[i], theirs[i]);
    const torch::NoGradGuard no_grad;
    EXPECT_CLOSE(attention(qkv[0], qkv[1], qkv[2], m), ours[0]);
  }
}

}  // namespace
}  // namespace unclip::nn
