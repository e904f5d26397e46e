#include "unclip/nn/group_norm_kernels.h"

#include <c10/util/BFloat16.h>

#include <bit>

#include "unclip/base/instruction_sets.h"

namespace unclip::nn::kernels {
namespace {

UNCLIP_INLINE float load(const float* p) { return *p; }
UNCLIP_INLINE void store(float* p, float value) { *p = value; }

UNCLIP_INLINE float load(const uint16_t* p) { return std::bit_cast<float>(static_cast<uint32_t>(*p) << 16); }
UNCLIP_INLINE void store(uint16_t* p, float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t rounded = (bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16;  // to nearest, ties to even
  *p = static_cast<uint16_t>(value == value ? rounded : 0x7FC0U);
}

// eˣ by 2ⁿ · 2ᶠ with a degree-6 polynomial for 2ᶠ, f in [−½, ½]: relative error 3e-7. Branches and
// conversions to integers, which may trap, would keep the loops around it from being vectorised.
UNCLIP_INLINE float exp_fast(float x) {
  constexpr float kRound =
      12582912.0F;  // 1.5 · 2²³: adding it leaves the nearest whole number in the last bits
  const float least = x < -87.0F ? -87.0F : x;
  const float clamped = least > 87.0F ? 87.0F : least;
  const float y = clamped * 1.44269504F;
  const float shifted = y + kRound;
  const float f = y - (shifted - kRound);
  float p = 1.54035304e-4F;
  p = p * f + 1.33335581e-3F;
  p = p * f + 9.61812911e-3F;
  p = p * f + 5.55041087e-2F;
  p = p * f + 2.40226507e-1F;
  p = p * f + 6.93147181e-1F;
  p = p * f + 1.0F;
  const uint32_t n = std::bit_cast<uint32_t>(shifted) - std::bit_cast<uint32_t>(kRound);
  return p * std::bit_cast<float>((n + 127U) << 23);
}

UNCLIP_INLINE float sigmoid(float z) { return 1.0F / (1.0F + exp_fast(-z)); }

template <class T>
UNCLIP_INLINE void moments(
    const T* x, int64_t rows, int64_t channels, const float* origin, float* sum, float* square) {
  for (int64_t r = 0; r < rows; ++r, x += channels) {
#pragma GCC ivdep
    for (int64_t c = 0; c < channels; ++c) {
      const float d = load(x + c) - origin[c];
      sum[c] += d;
      square[c] += d * d;
    }
  }
}

template <bool kSilu, class T>
UNCLIP_INLINE void affine(const T* x, T* y, int64_t rows, int64_t channels, const float* a, const float* b) {
  for (int64_t r = 0; r < rows; ++r, x += channels, y += channels) {
#pragma GCC ivdep
    for (int64_t c = 0; c < channels; ++c) {
      const float z = a[c] * load(x + c) + b[c];
      store(y + c, kSilu ? z * sigmoid(z) : z);
    }
  }
}

template <bool kSilu>
UNCLIP_INLINE float activation_grad(float z, float dy) {
  if constexpr (!kSilu) return dy;
  const float s = sigmoid(z);
  return dy * s * (1.0F + z * (1.0F - s));
}

template <bool kSilu, class T>
UNCLIP_INLINE void grad_sums(
    const T* x, const T* dy, int64_t rows, int64_t channels, const GradTables& t, float* s1, float* s2) {
  for (int64_t r = 0; r < rows; ++r, x += channels, dy += channels) {
#pragma GCC ivdep
    for (int64_t c = 0; c < channels; ++c) {
      const float value = load(x + c);
      const float dz = activation_grad<kSilu>(t.a[c] * value + t.b[c], load(dy + c));
      s1[c] += dz;
      s2[c] += dz * (t.rstd[c] * value + t.offset[c]);
    }
  }
}

template <bool kSilu, class T>
UNCLIP_INLINE void grad(const T* x,
                        const T* dy,
                        T* dx,
                        int64_t rows,
                        int64_t channels,
                        const GradTables& t,
                        const float* slope,
                        const float* constant) {
  for (int64_t r = 0; r < rows; ++r, x += channels, dy += channels, dx += channels) {
#pragma GCC ivdep
    for (int64_t c = 0; c < channels; ++c) {
      const float value = load(x + c);
      const float dz = activation_grad<kSilu>(t.a[c] * value + t.b[c], load(dy + c));
      store(dx + c, t.a[c] * dz + slope[c] * value + constant[c]);
    }
  }
}

// target_clones wants ordinary functions, one per type.
// NOLINTBEGIN(bugprone-macro-parentheses): T is a type
#define UNCLIP_KERNELS(T, suffix)                                                                      \
  UNCLIP_CLONES void moments_##suffix(const T* x, int64_t rows, int64_t channels, const float* origin, \
                                      float* sum, float* square) {                                     \
    moments(x, rows, channels, origin, sum, square);                                                   \
  }                                                                                                    \
  UNCLIP_CLONES void affine_##suffix(const T* x, T* y, int64_t rows, int64_t channels, const float* a, \
                                     const float* b, bool silu) {                                      \
    silu ? affine<true>(x, y, rows, channels, a, b) : affine<false>(x, y, rows, channels, a, b);       \
  }                                                                                                    \
  UNCLIP_CLONES void grad_sums_##suffix(const T* x, const T* dy, int64_t rows, int64_t channels,       \
                                        const GradTables& t, float* s1, float* s2) {                   \
    t.silu ? grad_sums<true>(x, dy, rows, channels, t, s1, s2)                                         \
           : grad_sums<false>(x, dy, rows, channels, t, s1, s2);                                       \
  }                                                                                                    \
  UNCLIP_CLONES void grad_##suffix(const T* x, const T* dy, T* dx, int64_t rows, int64_t channels,     \
                                   const GradTables& t, const float* slope, const float* constant) {   \
    t.silu ? grad<true>(x, dy, dx, rows, channels, t, slope, constant)                                 \
           : grad<false>(x, dy, dx, rows, channels, t, slope, constant);                               \
  }
UNCLIP_KERNELS(float, float32)
UNCLIP_KERNELS(uint16_t, bfloat16)
#undef UNCLIP_KERNELS
// NOLINTEND(bugprone-macro-parentheses)

const uint16_t* bits(const c10::BFloat16* p) { return reinterpret_cast<const uint16_t*>(p); }
uint16_t* bits(c10::BFloat16* p) { return reinterpret_cast<uint16_t*>(p); }

}  // namespace

template <>
void accumulate_moments(
    const float* x, int64_t rows, int64_t channels, const float* origin, float* sum, float* square) {
  moments_float32(x, rows, channels, origin, sum, square);
}
template <>
void accumulate_moments(
    const c10::BFloat16* x, int64_t rows, int64_t channels, const float* origin, float* sum, float* square) {
  moments_bfloat16(bits(x), rows, channels, origin, sum, square);
}
template <>
void apply_affine(
    const float* x, float* y, int64_t rows, int64_t channels, const float* a, const float* b, bool silu) {
  affine_float32(x, y, rows, channels, a, b, silu);
}
template <>
void apply_affine(const c10::BFloat16* x,
                  c10::BFloat16* y,
                  int64_t rows,
                  int64_t channels,
                  const float* a,
                  const float* b,
                  bool silu) {
  affine_bfloat16(bits(x), bits(y), rows, channels, a, b, silu);
}
template <>
void accumulate_grad_sums(const float* x,
                          const float* dy,
                          int64_t rows,
                          int64_t channels,
                          const GradTables& tables,
                          float* s1,
                          float* s2) {
  grad_sums_float32(x, dy, rows, channels, tables, s1, s2);
}
template <>
void accumulate_grad_sums(const c10::BFloat16* x,
                          const c10::BFloat16* dy,
                          int64_t rows,
                          int64_t channels,
                          const GradTables& tables,
                          float* s1,
                          float* s2) {
  grad_sums_bfloat16(bits(x), bits(dy), rows, channels, tables, s1, s2);
}
template <>
void apply_grad(const float* x,
                const float* dy,
                float* dx,
                int64_t rows,
                int64_t channels,
                const GradTables& tables,
                const float* slope,
                const float* constant) {
  grad_float32(x, dy, dx, rows, channels, tables, slope, constant);
}
template <>
void apply_grad(const c10::BFloat16* x,
                const c10::BFloat16* dy,
                c10::BFloat16* dx,
                int64_t rows,
                int64_t channels,
                const GradTables& tables,
                const float* slope,
                const float* constant) {
  grad_bfloat16(bits(x), bits(dy), bits(dx), rows, channels, tables, slope, constant);
}

}  // namespace unclip::nn::kernels
