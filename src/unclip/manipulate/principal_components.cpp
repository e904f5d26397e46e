#include "unclip/manipulate/principal_components.h"

#include <algorithm>

#include "unclip/base/error.h"

namespace unclip::manipulate {
namespace {

torch::Tensor lengths(const torch::Tensor& z) { return z.norm(2, 1, true).clamp_min(1e-12); }

}  // namespace

PrincipalComponents fit_principal_components(const torch::Tensor& embeddings) {
  check(embeddings.dim() == 2 && embeddings.size(0) >= 2, ErrorKind::data,
        "principal components need 2 embeddings or more, got shape ", embeddings.sizes());
  const int64_t rows = embeddings.size(0), width = embeddings.size(1);
  const torch::Tensor z = embeddings.to(torch::kFloat64);
  prior::EmbeddingMoments moments(width);
  moments.add(z / lengths(z));
  PrincipalComponents components = prior::principal_components(moments);
  components.basis = components.basis.slice(0, 0, std::min(width, rows - 1)).contiguous();
  return components;
}

torch::Tensor project(const torch::Tensor& z_i, const PrincipalComponents& components, int64_t k) {
  check(k >= 1 && k <= count(components), ErrorKind::usage, k, " components were asked for, expected 1 to ",
        count(components));
  check(z_i.dim() == 2 && z_i.size(1) == components.mean.size(0), ErrorKind::shape, "z_i has shape ",
        z_i.sizes(), ", but the components are of embeddings of width ", components.mean.size(0));
  const torch::Tensor basis = components.basis.slice(0, 0, k);
  const torch::Tensor z = z_i.to(torch::kFloat64), length = lengths(z);
  const torch::Tensor coordinates = (z / length - components.mean).mm(basis.t());
  return ((components.mean + coordinates.mm(basis)) * length).to(z_i.scalar_type());
}

}  // namespace unclip::manipulate
