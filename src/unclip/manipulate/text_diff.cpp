#include "unclip/manipulate/text_diff.h"

#include "unclip/base/error.h"
#include "unclip/manipulate/slerp.h"

namespace unclip::manipulate {
namespace {

constexpr double kSame = 1e-5;  // length of a difference of unit vectors that is rounding alone

torch::Tensor norms(const torch::Tensor& z) { return z.norm(2, -1, true); }

}  // namespace

torch::Tensor text_diff(const torch::Tensor& z_t, const torch::Tensor& z_t0) {
  const torch::Tensor to = z_t.to(torch::kFloat32), from = z_t0.to(torch::kFloat32);
  const torch::Tensor difference = to / norms(to) - from / norms(from);
  const torch::Tensor length = norms(difference);
  check((length > kSame).all().item<bool>(), ErrorKind::numeric,
        "both captions mean the same to CLIP, so there is no direction from one to the other");
  return difference / length;
}

torch::Tensor edited(const torch::Tensor& z_i, const torch::Tensor& z_d, double theta) {
  const torch::Tensor length = norms(z_i);
  return slerp(z_i / length, z_d.expand_as(z_i), theta) * length;
}

}  // namespace unclip::manipulate
