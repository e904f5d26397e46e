#include "unclip/nn/small_batch_gemm_kernels.h"

#include "unclip/base/instruction_sets.h"

namespace unclip::nn::kernels {
namespace {

constexpr int kLanes = 16, kVectors = kPanel / kLanes;
constexpr int64_t kAhead = 8;  // elements of a stream; measured: 16 and 32 are no better, 0 is 20 % slower

using Floats = float __attribute__((vector_size(64), aligned(4), may_alias));
using Words = uint32_t __attribute__((vector_size(64), aligned(4), may_alias));

/// kPanel weights as float32.
UNCLIP_INLINE void load(const float* from, Floats* to) {
  for (int v = 0; v < kVectors; ++v) to[v] = *reinterpret_cast<const Floats*>(from + v * kLanes);
}
UNCLIP_INLINE void load(const uint16_t* from, Floats* to) {
  for (int v = 0; v < kVectors; v += 2) {
    const Words pairs = *reinterpret_cast<const Words*>(from + v * kLanes);
    to[v] = reinterpret_cast<Floats>(pairs << 16);
    to[v + 1] = reinterpret_cast<Floats>(pairs & 0xFFFF0000U);
  }
}

/// Asks for kPanel weights that will be multiplied soon: computing leaves too few loads in flight by itself.
template <class Weight>
UNCLIP_INLINE void prefetch(const Weight* from) {
  constexpr int64_t kLine = 64 / sizeof(Weight);
  for (int64_t i = 0; i < kPanel; i += kLine) __builtin_prefetch(from + i);
}

template <int kRows, class Weight>
UNCLIP_INLINE void add(const PanelPart& part, const Weight* panel, float* sums) {
  Floats sum[kRows][kVectors] = {};  // of this part alone: sums of parts round less than one long sum
  for (int64_t i = part.first; i < part.first + part.length; ++i) {
    for (int64_t s = 0; s < kStreams; ++s) {
      const int64_t k = s * part.stream + i;
      Floats weight[kVectors];
      prefetch(panel + (k + kAhead) * kPanel);
      load(panel + k * kPanel, weight);
#pragma GCC unroll 6
      for (int r = 0; r < kRows; ++r) {
        const float x = part.x[r * part.row_stride + k];
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) sum[r][v] += x * weight[v];
      }
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v)
      *reinterpret_cast<Floats*>(sums + r * kPanel + v * kLanes) += sum[r][v];
  }
}

template <class Weight>
UNCLIP_INLINE void add_any(const PanelPart& part, const Weight* panel, float* sums) {
  switch (part.rows) {
    case 1:
      return add<1>(part, panel, sums);
    case 2:
      return add<2>(part, panel, sums);
    case 3:
      return add<3>(part, panel, sums);
    case 4:
      return add<4>(part, panel, sums);
    case 5:
      return add<5>(part, panel, sums);
    default:
      return add<6>(part, panel, sums);
  }
}

// target_clones wants ordinary functions of one name each.
UNCLIP_CLONES void add_float32(const PanelPart& part, const float* panel, float* sums) {
  add_any(part, panel, sums);
}
UNCLIP_CLONES void add_bfloat16(const PanelPart& part, const uint16_t* panel, float* sums) {
  add_any(part, panel, sums);
}

}  // namespace

void add_panel_part(const PanelPart& part, const float* panel, float* sums) {
  add_float32(part, panel, sums);
}
void add_panel_part(const PanelPart& part, const uint16_t* panel, float* sums) {
  add_bfloat16(part, panel, sums);
}

}  // namespace unclip::nn::kernels
