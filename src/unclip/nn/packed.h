// Weights of a frozen layer, rearranged once into the layout that oneDNN multiplies fastest with on this
// processor. LibTorch's plain calls rearrange them anew every time, which costs most where few rows meet many
// weights: a step of the cached prior, convolutions over 8×8 maps.
#pragma once
#include <torch/types.h>

#include <optional>
#include <vector>

#include "unclip/nn/few_rows.h"

namespace unclip::nn {

using torch::Tensor;

/// Whether `x` can go through packed weights here: on the CPU, float32 or bfloat16, no gradients wanted.
bool can_use_packed(const Tensor& x);

class PackedLinear {
 public:
  /// x [..., in] · weightᵀ + bias, in the type of x; packs `weight` [out, in] at the first call and when the
  /// type changes. Few rows and many rows have packed weights of their own: which, depends on x alone.
  Tensor operator()(const Tensor& x, const Tensor& weight, const Tensor& bias);

 private:
  Tensor multiply_few(const Tensor& x, const Tensor& weight, const Tensor& bias);
  StreamedWeight streamed_;
  Tensor streamed_bias_;
  Tensor weight_;
  std::optional<Tensor> bias_;
  std::optional<torch::ScalarType> dtype_;
};

class PackedConv2d {
 public:
  /// Convolution of x [N, in, H, W], channels-last; packs `weight` at the first call and when the type or the
  /// size of the map changes.
  Tensor operator()(
      const Tensor& x, const Tensor& weight, const Tensor& bias, int64_t stride, int64_t padding);

 private:
  Tensor weight_;
  std::optional<Tensor> bias_;
  std::optional<torch::ScalarType> dtype_;
  std::vector<int64_t> map_;  // H, W
};

}  // namespace unclip::nn
