#include "unclip/nn/small_batch_gemm.h"

#include <ATen/Parallel.h>
#include <ATen/record_function.h>

#include <algorithm>
#include <array>
#include <type_traits>
#include <vector>

#include "unclip/base/error.h"
#include "unclip/base/runtime.h"
#include "unclip/nn/small_batch_gemm_kernels.h"

namespace unclip::nn {
namespace {

using kernels::kMostRows;
using kernels::kPanel;
using kernels::kStreams;
using torch::Tensor;

constexpr int64_t kPart = 128;  // elements of each stream at a time: they stay in the cache for all rows
constexpr int64_t kPairs = 16;  // columns c and c + kPairs of bfloat16 share a word
constexpr int64_t kApart =
    16;  // floats between rows of x: else all rows would want the same lines of the cache

int64_t round_up(int64_t n, int64_t multiple) { return (n + multiple - 1) / multiple * multiple; }

/// The column of a panel that stands at `place`.
template <class Weight>
int64_t column_at(int64_t place) {
  if constexpr (std::is_same_v<Weight, float>) return place;
  const int64_t pair = place % (2 * kPairs) / 2, half = place % 2;
  return place - place % (2 * kPairs) + half * kPairs + pair;
}

/// weight [out, in] -> panels [panels, width, kPanel]: what a panel's columns multiply one element of x with
/// stands side by side.
template <class Weight>
void lay_out(const Tensor& weight, Tensor& panels) {
  const int64_t out = weight.size(0), in = weight.size(1), width = panels.size(1);
  const auto* from = weight.const_data_ptr<Weight>();
  auto* to = panels.data_ptr<Weight>();
  const std::vector<Weight> missing(static_cast<size_t>(in), Weight(0));
  at::parallel_for(0, panels.size(0), 1, [&](int64_t begin, int64_t end) {
    for (int64_t panel = begin; panel < end; ++panel) {
      std::array<const Weight*, kPanel> columns{};
      for (int64_t place = 0; place < kPanel; ++place) {
        const int64_t row = panel * kPanel + column_at<Weight>(place);
        columns[static_cast<size_t>(place)] = row < out ? from + row * in : missing.data();
      }
      Weight* next = to + panel * width * kPanel;
      for (int64_t k = 0; k < in; ++k) {
        for (const Weight* column : columns) *next++ = column[k];
      }
      std::fill_n(next, (width - in) * kPanel, Weight(0));
    }
  });
}

/// What every task reads and writes.
struct Product {
  const Tensor& panels;  // [panels, width, kPanel]
  const Tensor& x;       // float32 [rows, width + kApart]
  const Tensor& bias;    // float32 [out] or undefined
  Tensor& y;             // float32 [rows, out]
};

void write_panel(const Product& p, int64_t index, const float* sums) {
  const int64_t out = p.y.size(1), first = index * kPanel, count = std::min(kPanel, out - first);
  const float* bias = p.bias.defined() ? p.bias.const_data_ptr<float>() + first : nullptr;
  for (int64_t r = 0; r < p.y.size(0); ++r) {
    float* y = p.y.data_ptr<float>() + r * out + first;
    for (int64_t c = 0; c < count; ++c) y[c] = sums[r * kPanel + c] + (bias != nullptr ? bias[c] : 0.0F);
  }
}

template <class Weight>
void multiply_panel(const Product& p, const Weight* weights, int64_t index, float* sums) {
  const int64_t rows = p.x.size(0), width = p.panels.size(1), stream = width / kStreams;
  std::fill(sums, sums + rows * kPanel, 0.0F);
  for (int64_t first = 0; first < stream; first += kPart) {
    for (int64_t r = 0; r < rows; r += kMostRows) {
      const kernels::PanelPart part{.x = p.x.const_data_ptr<float>() + r * p.x.size(1),
                                    .row_stride = p.x.size(1),
                                    .rows = std::min(kMostRows, rows - r),
                                    .stream = stream,
                                    .first = first,
                                    .length = std::min(kPart, stream - first)};
      kernels::add_panel_part(part, weights + index * width * kPanel, sums + r * kPanel);
    }
  }
  write_panel(p, index, sums);
}

template <class Weight>
void multiply_panels(const Product& p, const Weight* weights) {
  at::parallel_for(0, p.panels.size(0), 1, [&](int64_t begin, int64_t end) {
    std::vector<float> sums(static_cast<size_t>(p.x.size(0) * kPanel));
    for (int64_t i = begin; i < end; ++i) multiply_panel(p, weights, i, sums.data());
  });
}

}  // namespace

int64_t small_batch_limit(torch::ScalarType dtype) {
  // The longest caption of a guided prior has 2 · 78 rows. More are a matter of arithmetic, which oneDNN does
  // better; where it has fast bfloat16, much sooner.
  constexpr int64_t kRows = 160, kRowsOfFastType = 32;
#if defined(__x86_64__)
  static const bool wide = __builtin_cpu_supports("avx512bw") != 0;
  static const bool fast = has_fast_bf16();
  if (!wide) return 0;
  return dtype == torch::kBFloat16 && fast ? kRowsOfFastType : kRows;
#else
  return 0;
#endif
}

StreamedWeight::StreamedWeight(const Tensor& weight, torch::ScalarType dtype)
    : in_(weight.size(1)), out_(weight.size(0)) {
  check(dtype == torch::kFloat32 || dtype == torch::kBFloat16, ErrorKind::shape, "few rows: the type is ",
        c10::toString(dtype), ", expected float32 or bfloat16");
  const int64_t width = round_up(in_, kStreams);
  panels_ = torch::empty({round_up(out_, kPanel) / kPanel, width, kPanel}, dtype);
  const Tensor given = weight.detach().to(dtype).contiguous();
  dtype == torch::kFloat32 ? lay_out<float>(given, panels_) : lay_out<c10::BFloat16>(given, panels_);
}

Tensor StreamedWeight::multiply(const Tensor& x, const Tensor& bias) const {
  check(x.size(-1) == in_, ErrorKind::shape, "few rows: x is ", x.sizes(), ", expected [..., ", in_, "]");
  RECORD_FUNCTION("unclip::small_batch_gemm", std::vector<c10::IValue>({x, panels_}));
  const Tensor rows = x.reshape({-1, in_}).to(torch::kFloat32);
  const Tensor wide = at::constant_pad_nd(rows, {0, panels_.size(1) + kApart - in_});
  Tensor y = torch::empty({rows.size(0), out_});
  const Product product{panels_, wide, bias, y};
  if (dtype() == torch::kFloat32) {
    multiply_panels(product, panels_.const_data_ptr<float>());
  } else {
    multiply_panels(product, reinterpret_cast<const uint16_t*>(panels_.const_data_ptr<c10::BFloat16>()));
  }
  std::vector<int64_t> shape = x.sizes().vec();
  shape.back() = out_;
  return y.to(x.scalar_type()).reshape(shape);
}

}  // namespace unclip::nn
