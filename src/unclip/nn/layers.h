// Linear, convolution, normalisation and embedding layers that compute in the dtype of their input (float32
// or bfloat16) whatever dtype their weights are stored in: training keeps float32 master weights, inference
// may map bfloat16.
#pragma once
#include <optional>

#include "unclip/nn/layer.h"
#include "unclip/nn/packed.h"

namespace unclip::nn {

/// How a weight matrix starts: PyTorch's U(±1/√fan_in), all zeros (the last layer of a residual branch), or
/// N(0, std²).
struct Init {
  enum class Kind { fan_in, zeros, normal } kind = Kind::fan_in;
  double std = 0.0;
  static Init fan_in() { return {}; }
  static Init zeros() { return {Kind::zeros, 0.0}; }
  static Init normal(double std) { return {Kind::normal, std}; }
};

struct LinearOptions {
  bool bias = true;
  Init init = {};
};

class LinearImpl : public Layer {
 public:
  LinearImpl(int64_t in, int64_t out, LinearOptions options = {});
  Tensor forward(const Tensor& x);  // [..., in] -> [..., out]
  void initialize(const NoiseKey& key) override;
  Tensor weight;  // [out, in]
  Tensor bias;    // [out], undefined without bias

 private:
  Init init_;
  PackedLinear packed_;  // once frozen
};
TORCH_MODULE(Linear);

struct Conv2dOptions {
  int64_t stride = 1;
  int64_t padding = 0;
  bool bias = true;
  Init init = {};
};

class Conv2dImpl : public Layer {
 public:
  Conv2dImpl(int64_t in, int64_t out, int64_t kernel, Conv2dOptions options = {});
  Tensor forward(const Tensor& x);  // [N, in, H, W] -> [N, out, H', W'], channels-last in and out
  void initialize(const NoiseKey& key) override;
  Tensor weight;  // [out, in, k, k]
  Tensor bias;    // [out], undefined without bias

 private:
  int64_t stride_, padding_;
  Init init_;
  PackedConv2d packed_;  // once frozen
};
TORCH_MODULE(Conv2d);

class LayerNormImpl : public Layer {
 public:
  explicit LayerNormImpl(int64_t width, double eps = 1e-5);
  Tensor forward(const Tensor& x);  // [..., width]; statistics in float32
  void initialize(const NoiseKey& key) override;
  Tensor weight, bias;

 private:
  double eps_;
};
TORCH_MODULE(LayerNorm);

class EmbeddingImpl : public Layer {
 public:
  EmbeddingImpl(int64_t count, int64_t width, double std = 0.02);
  Tensor forward(const Tensor& ids);  // int64 [...] -> [..., width]
  void initialize(const NoiseKey& key) override;
  Tensor weight;

 private:
  double std_;
};
TORCH_MODULE(Embedding);

/// Fills `parameter` as `init` says; `fan_in` is the number of inputs of one output.
void fill_parameter(Tensor& parameter, Init init, int64_t fan_in, const NoiseKey& key);

}  // namespace unclip::nn
