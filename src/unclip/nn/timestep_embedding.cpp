#include "unclip/nn/timestep_embedding.h"

#include <cmath>

namespace unclip::nn {

Tensor sinusoidal_embedding(const Tensor& t, int64_t width) {
  check(width % 2 == 0, ErrorKind::config, "the timestep embedding has width ", width,
        ", expected an even number");
  const int64_t half = width / 2;
  const Tensor frequencies =
      torch::exp(torch::arange(half, torch::dtype(torch::kFloat32).device(t.device())) *
                 (-std::log(10000.0) / static_cast<double>(half)));
  const Tensor angles = t.to(torch::kFloat32).unsqueeze(1) * frequencies.unsqueeze(0);
  return torch::cat({angles.cos(), angles.sin()}, 1);
}

TimestepEmbeddingImpl::TimestepEmbeddingImpl(int64_t width, int64_t hidden)
    : fc1(register_module("fc1", Linear(width, hidden))),
      fc2(register_module("fc2", Linear(hidden, hidden))),
      width_(width) {}

Tensor TimestepEmbeddingImpl::forward(const Tensor& t, torch::ScalarType dtype) {
  return fc2(at::silu(fc1(sinusoidal_embedding(t, width_).to(dtype))));
}

}  // namespace unclip::nn
