// Weights of a frozen layer, rearranged once into the layout that oneDNN multiplies fastest with on this
// processor. LibTorch's plain calls rearrange them anew every time, which costs most where few rows meet many
// weights: a step of the cached prior, convolutions over 8×8 maps.
#pragma once
#include <torch/types.h>

#include <optional>

#include "unclip/nn/pack_cache.h"
#include "unclip/nn/small_batch_gemm.h"

namespace unclip::nn {

using torch::Tensor;

/// Whether `x` can go through packed weights here: on the CPU, float32 or bfloat16, no gradients wanted.
bool can_use_packed(const Tensor& x);

class PackedLinear {
 public:
  /// x [..., in] · weightᵀ + bias, in the type of x; packs `weight` [out, in] at the first call with that
  /// type. Few rows and many rows have packed weights of their own: which, depends on x alone. Safe to call
  /// from several threads.
  Tensor operator()(const Tensor& x, const Tensor& weight, const Tensor& bias);

 private:
  struct Streamed {
    StreamedWeight weight;
    Tensor bias;
  };
  struct Reordered {
    Tensor weight;
    std::optional<Tensor> bias;
  };
  PackCache<torch::ScalarType, Streamed> streamed_;
  PackCache<torch::ScalarType, Reordered> reordered_;
};

class PackedConv2d {
 public:
  /// Convolution of x [N, in, H, W], channels-last; packs `weight` at the first call with that type and size
  /// of the map. Safe to call from several threads.
  Tensor operator()(
      const Tensor& x, const Tensor& weight, const Tensor& bias, int64_t stride, int64_t padding);

 private:
  struct Key {
    torch::ScalarType dtype;
    int64_t height, width;  // of the map
    bool operator==(const Key&) const = default;
  };
  struct Reordered {
    Tensor weight;
    std::optional<Tensor> bias;
  };
  PackCache<Key, Reordered> reordered_;
};

}  // namespace unclip::nn
