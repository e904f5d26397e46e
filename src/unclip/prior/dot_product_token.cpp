#include "unclip/prior/dot_product_token.h"

#include <algorithm>
#include <cmath>

#include "unclip/base/error.h"

namespace unclip::prior {
namespace {

torch::Tensor unit(const torch::Tensor& z) { return z / z.norm(2, -1, true).clamp_min(1e-12); }

}  // namespace

torch::Tensor dot_product(const torch::Tensor& z_i, const torch::Tensor& z_t) {
  return (unit(z_i.to(torch::kFloat32)) * unit(z_t.to(torch::kFloat32))).sum(-1);
}

torch::Tensor dot_product_edges(const torch::Tensor& dots, int64_t bins) {
  const int64_t count = dots.size(0);
  check(count >= bins, ErrorKind::data, "the dot products of ", count, " pairs cannot fill ", bins,
        " bins: give more data or lower dot_product_bins");
  const torch::Tensor sorted = std::get<0>(dots.to(torch::kFloat32).sort());
  return sorted.index_select(0, (torch::arange(1, bins, torch::kLong) * count).floor_divide(bins));
}

torch::Tensor dot_product_token(const torch::Tensor& dots, const torch::Tensor& edges) {
  return torch::bucketize(dots.contiguous(), edges, /*out_int32=*/false, /*right=*/true);
}

torch::Tensor draw_dot_product_token(const torch::Tensor& u, int64_t bins, double percentile) {
  const auto lowest = static_cast<int64_t>(std::ceil(percentile * static_cast<double>(bins)));
  const int64_t first = std::min(lowest, bins - 1);
  const torch::Tensor offset = (u.to(torch::kFloat64) * (bins - first)).floor().to(torch::kLong);
  return first + offset.clamp_max(bins - first - 1);
}

}  // namespace unclip::prior
