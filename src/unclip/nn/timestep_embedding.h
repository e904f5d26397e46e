// Sinusoidal timestep features and the small MLP behind them (ADM, Dhariwal & Nichol 2021).
#pragma once
#include "unclip/nn/layers.h"

namespace unclip::nn {

/// [cos(t f_j), sin(t f_j)] with f_j = exp(−ln 10⁴ · j / (width/2)); t float or int [N] -> float32 [N,
/// width].
Tensor sinusoidal_embedding(const Tensor& t, int64_t width);

/// Linear(width → hidden), SiLU, Linear(hidden → hidden) on the sinusoidal features.
class TimestepEmbeddingImpl : public torch::nn::Module {
 public:
  TimestepEmbeddingImpl(int64_t width, int64_t hidden);
  Tensor forward(const Tensor& t, torch::ScalarType dtype);  // [N] -> [N, hidden]
  Linear fc1, fc2;

 private:
  int64_t width_;
};
TORCH_MODULE(TimestepEmbedding);

}  // namespace unclip::nn
