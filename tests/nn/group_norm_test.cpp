#include "unclip/nn/group_norm.h"

#include "support/close.h"

namespace unclip::nn {
namespace {

struct Case {
  std::vector<int64_t> shape;  // N, C, H, W
  int64_t groups;
  bool silu, scale_shift;
};

Tensor random(torch::IntArrayRef shape, uint64_t stream) { return normal_noise({3, stream, 0}, shape); }

/// The fused kernels against ATen's separate operators in double precision: values and all gradients.
void compare(const Case& c, torch::ScalarType dtype, testing::Tolerance tolerance) {
  GroupNorm norm(c.shape[1], GroupNormOptions{.groups = c.groups});
  {
    const torch::NoGradGuard no_grad;
    norm->weight.copy_(random({c.shape[1]}, 1));
    norm->bias.copy_(random({c.shape[1]}, 2));
  }
  Tensor x = (random(c.shape, 3) * 2 + 5).to(dtype).contiguous(at::MemoryFormat::ChannelsLast);
  Tensor scale_shift = random({c.shape[0], 2 * c.shape[1]}, 4).to(dtype);
  const Tensor upstream = random(c.shape, 5).to(dtype);
  const auto run = [&](bool fused) {
    const auto type = fused ? dtype : torch::kFloat64;
    GroupNorm copy(c.shape[1], GroupNormOptions{.groups = c.groups});
    copy->weight.set_data(norm->weight.detach().to(fused ? torch::kFloat32 : type).clone());
    copy->bias.set_data(norm->bias.detach().to(fused ? torch::kFloat32 : type).clone());
    const Tensor input = x.detach().to(type).clone().requires_grad_();
    const Tensor modulation = scale_shift.detach().to(type).clone().requires_grad_();
    const std::optional<Tensor> optional = c.scale_shift ? std::make_optional(modulation) : std::nullopt;
    const Tensor y = copy->forward(input, c.silu, optional);
    y.backward(upstream.to(type));
    return std::vector<Tensor>{y, input.grad(), copy->weight.grad(), copy->bias.grad(),
                               c.scale_shift ? modulation.grad() : torch::zeros({1})};
  };
  const auto got = run(true), expected = run(false);
  for (size_t i = 0; i < got.size(); ++i) EXPECT_CLOSE(got[i], expected[i], tolerance) << "tensor " << i;
}

const std::vector<Case> kCases{{{2, 32, 5, 7}, 32, false, false}, {{2, 32, 5, 7}, 8, true, false},
                               {{3, 48, 4, 4}, 4, true, true},    {{1, 64, 33, 31}, 32, true, true},
                               {{2, 40, 1, 1}, 4, false, true},   {{2, 24, 20, 20}, 3, false, true}};

TEST(GroupNorm, FusedEqualsReferenceInFloat32) {
  for (const Case& c : kCases) compare(c, torch::kFloat32, {.absolute = 2e-6, .relative = 3e-6});
}

TEST(GroupNorm, FusedEqualsReferenceInBFloat16) {
  for (const Case& c : kCases) compare(c, torch::kBFloat16, {.absolute = 1e-3, .relative = 1.2e-2});
}

TEST(GroupNorm, KeepsItsPrecisionFarFromZero) {
  GroupNorm norm(8, GroupNormOptions{.groups = 2});
  initialize_parameters(*norm, 1);
  const Tensor x = random({1, 8, 16, 16}, 6) + 1000;
  EXPECT_CLOSE(norm(x, false), at::group_norm(x.to(torch::kFloat64), 2, {}, {}, 1e-5), {.absolute = 2e-4});
}

TEST(GroupNorm, RefusesUnevenGroups) { EXPECT_THROW(GroupNorm(33, GroupNormOptions{.groups = 32}), Error); }

}  // namespace
}  // namespace unclip::nn
