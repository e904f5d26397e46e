#include "unclip/manipulate/slerp.h"

#include "unclip/base/error.h"

namespace unclip::manipulate {
namespace {

constexpr double kParallel = 1e-6;  // sin Ω below which rounding outweighs the arc

}  // namespace

torch::Tensor slerp(const torch::Tensor& a, const torch::Tensor& b, double theta) {
  check(a.sizes() == b.sizes() && a.dim() >= 2, ErrorKind::shape, "slerp: shapes are ", a.sizes(), " and ",
        b.sizes(), ", expected equal ones, [N, …]");
  const torch::Tensor u = a.flatten(1).to(torch::kFloat64), v = b.flatten(1).to(torch::kFloat64);
  const torch::Tensor lengths = u.norm(2, 1, true) * v.norm(2, 1, true);
  check((lengths > 0).all().item<bool>(), ErrorKind::numeric, "slerp: a vector is zero and has no direction");
  const torch::Tensor cosine = ((u * v).sum(1, true) / lengths).clamp(-1, 1);
  const torch::Tensor omega = cosine.acos(), sine = omega.sin();
  const torch::Tensor parallel = sine < kParallel;
  check(!(parallel & (cosine < 0)).any().item<bool>(), ErrorKind::numeric,
        "slerp: two vectors are opposite, so there is no shortest way between them");
  const torch::Tensor arc =
      (((1 - theta) * omega).sin() * u + (theta * omega).sin() * v) / sine.clamp_min(kParallel);
  const torch::Tensor line = (1 - theta) * u + theta * v;
  return torch::where(parallel, line, arc).view(a.sizes()).to(a.scalar_type());
}

std::vector<double> fractions(int64_t count, double last) {
  std::vector<double> result(static_cast<size_t>(count), 0.0);
  for (size_t i = 1; i < result.size(); ++i)
    result[i] = last * static_cast<double>(i) / static_cast<double>(result.size() - 1);
  return result;
}

}  // namespace unclip::manipulate
