#include "unclip/image/resize.h"

#include <ATen/Parallel.h>

#include <cstring>

#include "unclip/image/pixels.h"

namespace unclip::image {
namespace {

constexpr int64_t kGrain = 1 << 20;  // multiplications that are worth a thread

int64_t rows_per_task(int64_t row_bytes, const AxisWeights& axis) {
  return std::max<int64_t>(1, kGrain / (row_bytes * axis.taps));
}

torch::Tensor resize_width(const torch::Tensor& pixels, int64_t width, Filter filter) {
  const int64_t height = pixels.size(0), channels = pixels.size(2), row_bytes = pixels.size(1) * channels;
  const AxisWeights axis(pixels.size(1), width, filter);
  torch::Tensor result = torch::empty({height, width, channels}, torch::kUInt8);
  const uint8_t* in = pixels.const_data_ptr<uint8_t>();
  auto* out = result.mutable_data_ptr<uint8_t>();
  at::parallel_for(0, height, rows_per_task(width * channels, axis), [&](int64_t begin, int64_t end) {
    std::vector<uint8_t> row(static_cast<size_t>(row_bytes) + 1);  // resample_row reads one byte further
    for (int64_t y = begin; y < end; ++y) {
      std::memcpy(row.data(), in + y * row_bytes, static_cast<size_t>(row_bytes));
      resample_row(row.data(), channels, axis, out + y * width * channels);
    }
  });
  return result;
}

torch::Tensor resize_height(const torch::Tensor& pixels, int64_t height, Filter filter) {
  const int64_t row_bytes = pixels.size(1) * pixels.size(2);
  const AxisWeights axis(pixels.size(0), height, filter);
  torch::Tensor result = torch::empty({height, pixels.size(1), pixels.size(2)}, torch::kUInt8);
  const uint8_t* in = pixels.const_data_ptr<uint8_t>();
  auto* out = result.mutable_data_ptr<uint8_t>();
  at::parallel_for(0, height, rows_per_task(row_bytes, axis), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) resample_column(in, row_bytes, axis, y, out + y * row_bytes);
  });
  return result;
}

/// Applies `change(colour, alpha)` to the three colours of each pixel.
template <class Change>
torch::Tensor change_colours(const torch::Tensor& rgba, const Change& change) {
  torch::Tensor result = rgba.clone();
  auto* pixel = result.mutable_data_ptr<uint8_t>();
  for (int64_t i = 0; i < rgba.size(0) * rgba.size(1); ++i, pixel += 4) {
    for (int c = 0; c < 3; ++c) pixel[c] = change(pixel[c], pixel[3]);
  }
  return result;
}

torch::Tensor premultiplied(const torch::Tensor& rgba) {
  return change_colours(rgba, [](uint32_t colour, uint32_t alpha) {
    return static_cast<uint8_t>((colour * alpha + 127) / 255);
  });
}

torch::Tensor unpremultiplied(const torch::Tensor& rgba) {
  return change_colours(rgba, [](uint32_t colour, uint32_t alpha) {
    return static_cast<uint8_t>(alpha == 0 ? colour : std::min(255U, 255 * colour / alpha));
  });
}

}  // namespace

torch::Tensor resize(const torch::Tensor& pixels, int64_t height, int64_t width, Filter filter) {
  torch::Tensor result = checked_pixels(pixels, 1);
  check(height > 0 && width > 0, ErrorKind::shape, "a picture cannot be resized to ", width, " × ", height,
        " pixels");
  if (height == result.size(0) && width == result.size(1)) return result;
  const bool has_alpha = result.size(2) == 4;
  if (has_alpha) result = premultiplied(result);
  // Pillow 13: a picture that loses more than twice as many rows as columns is resized vertically first.
  const int64_t lost_rows = result.size(0) - height, lost_columns = result.size(1) - width;
  const bool rows_first = lost_rows > 0 && lost_rows > 2 * lost_columns;
  if (rows_first) result = resize_height(result, height, filter);
  if (width != result.size(1)) result = resize_width(result, width, filter);
  if (height != result.size(0)) result = resize_height(result, height, filter);
  return has_alpha ? unpremultiplied(result) : result;
}

torch::Tensor resize(const torch::Tensor& pixels, int64_t height, int64_t width) {
  const auto is_whole = [](int64_t from, int64_t to) { return to > 0 && from % to == 0; };
  const bool averages = is_whole(pixels.size(0), height) && is_whole(pixels.size(1), width);
  return resize(pixels, height, width, averages ? Filter::box : Filter::bicubic);
}

}  // namespace unclip::image
