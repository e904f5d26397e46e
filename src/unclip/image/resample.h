// Pillow's antialiased resampling of 8-bit pictures, one axis at a time: weights in fixed point of 22 bits,
// rounding and clamping to 8 bits after each axis. Equal to Pillow bit for bit.
#pragma once
#include <cstdint>
#include <vector>

namespace unclip::image {

enum class Filter { box, bilinear, bicubic, lanczos };  // bicubic: a = −0.5 (Keys 1981); lanczos: 3 lobes

/// Which inputs make each output along one axis: output i is Σ_k weights[i · taps + k] · input[begin[i] + k],
/// k < count[i], in units of 2⁻²².
struct AxisWeights {
  AxisWeights(int64_t in, int64_t out, Filter filter);
  int64_t taps = 0;
  std::vector<int64_t> begin, count;
  std::vector<int32_t> weights;
};

/// One row [width, channels] -> [begin.size(), channels]; `in` must be readable for 1 byte beyond its end.
void resample_row(const uint8_t* in, int64_t channels, const AxisWeights& axis, uint8_t* out);
/// Row `y` of the output from `in` [height, row_bytes].
void resample_column(const uint8_t* in, int64_t row_bytes, const AxisWeights& axis, int64_t y, uint8_t* out);

}  // namespace unclip::image
