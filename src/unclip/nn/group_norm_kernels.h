// Row kernels of the fused GroupNorm. A row is one pixel's C channels; all per-channel tables are float32
// [C]. Each exists for float32 and bfloat16 and is compiled for several instruction sets, chosen when the
// program starts.
#pragma once
#include <cstdint>

namespace unclip::nn::kernels {

/// sum[c] += Σ_rows (x − origin[c]), square[c] += Σ_rows (x − origin[c])²: shifting keeps the variance exact.
template <class T>
void accumulate_moments(
    const T* x, int64_t rows, int64_t channels, const float* origin, float* sum, float* square);

/// y = act(a·x + b)
template <class T>
void apply_affine(
    const T* x, T* y, int64_t rows, int64_t channels, const float* a, const float* b, bool silu);

/// Everything that the backward pass needs of one sample.
struct GradTables {
  const float* a;  // z = a·x + b is what the activation saw
  const float* b;
  const float* rstd;  // x̂ = rstd·x + offset
  const float* offset;
  bool silu;
};

/// s1[c] += Σ dz, s2[c] += Σ dz·x̂, with dz = dy·act'(z).
template <class T>
void accumulate_grad_sums(
    const T* x, const T* dy, int64_t rows, int64_t channels, const GradTables& tables, float* s1, float* s2);

/// dx = a·dz + slope·x + constant
template <class T>
void apply_grad(const T* x,
                const T* dy,
                T* dx,
                int64_t rows,
                int64_t channels,
                const GradTables& tables,
                const float* slope,
                const float* constant);

}  // namespace unclip::nn::kernels
