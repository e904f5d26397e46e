#include "unclip/train/muon.h"

#include <algorithm>
#include <cmath>

namespace unclip::train {

bool is_hidden_matrix(const std::string& name, const torch::Tensor& parameter) {
  const auto has = [&](std::string_view part) { return name.find(part) != std::string::npos; };
  return parameter.dim() >= 2 && !has("_embedding") && !has("conv_in.") && !has("conv_out.");
}

torch::Tensor orthogonalized(const torch::Tensor& matrix) {
  constexpr double a = 3.4445, b = -4.7750,
                   c = 2.0315;  // Jordan's: steepest at 0 among those that stay bounded
  const bool tall = matrix.size(0) > matrix.size(1);
  torch::Tensor x = tall ? matrix.t() : matrix;
  x = x / (x.norm() + 1e-7);
  for (int i = 0; i < 5; ++i) {
    const torch::Tensor gram = x.matmul(x.t());
    const torch::Tensor polynomial = torch::addmm(gram, gram, gram, b, c);
    x = torch::addmm(x, polynomial, x, a, 1.0);
  }
  return tall ? x.t() : x;
}

double muon_scale(const torch::Tensor& matrix) {
  return 0.2 * std::sqrt(static_cast<double>(std::max(matrix.size(0), matrix.size(1))));
}

}  // namespace unclip::train
