// The inner loop of x · Wᵀ for few rows, see small_batch_gemm.h. Compiled for several instruction sets,
// chosen when the program starts.
#pragma once
#include <cstdint>

namespace unclip::nn::kernels {

constexpr int64_t kPanel = 64;    // columns of y that are computed together
constexpr int64_t kStreams = 4;   // parts of the summed dimension that are read side by side
constexpr int64_t kMostRows = 6;  // rows of x at a time: as many as the registers hold sums of

/// Part of one panel: rows of x times `length` weights of each stream.
struct PanelPart {
  const float* x;  // [rows, kStreams · stream]
  int64_t row_stride;
  int64_t rows;    // 1 to kMostRows
  int64_t stream;  // elements of one stream
  int64_t first;   // this part's first element within each stream
  int64_t length;
};

/// sums [rows, kPanel] += x · weights of a panel [kStreams, stream, kPanel].
void add_panel_part(const PanelPart& part, const float* panel, float* sums);
/// The same of bfloat16 weights. Of 32 columns, c and c + 16 stand side by side: as the halves of a 32-bit
/// word, which a shift and a mask turn into float32.
void add_panel_part(const PanelPart& part, const uint16_t* panel, float* sums);

}  // namespace unclip::nn::kernels
