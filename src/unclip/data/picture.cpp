#include "unclip/data/picture.h"

#include <cmath>
#include <cstring>

#include "unclip/base/error.h"
#include "unclip/image/crop.h"
#include "unclip/image/decode.h"
#include "unclip/image/resize.h"

namespace unclip::data {
namespace {

constexpr int64_t kMaxSide = 4096;
constexpr uint8_t kWhite = 255;

/// The square of `side` pixels whose upper left corner is (left, top), white where it lies outside.
torch::Tensor cut_out(const torch::Tensor& pixels, int64_t left, int64_t top, int64_t side) {
  const int64_t height = pixels.size(0), width = pixels.size(1);
  torch::Tensor result = torch::empty({side, side, 3}, torch::kUInt8);
  auto* out = result.data_ptr<uint8_t>();
  std::memset(out, kWhite, static_cast<size_t>(result.numel()));
  const int64_t first = std::max<int64_t>(left, 0), last = std::min(left + side, width);
  for (int64_t y = std::max<int64_t>(top, 0); y < std::min(top + side, height) && first < last; ++y) {
    std::memcpy(out + ((y - top) * side + first - left) * 3,
                pixels.data_ptr<uint8_t>() + (y * width + first) * 3,
                static_cast<size_t>((last - first) * 3));
  }
  return result;
}

torch::Tensor augment(const torch::Tensor& square,
                      const PictureConfig& config,
                      const AugmentationDraw& draw) {
  const int64_t size = square.size(0);
  // The zoom is log-uniform in 1/(1 + scale) … 1 + scale; we look at a window of the picture, in whole
  // pixels.
  const double zoom = std::pow(1 + config.scale, 2 * draw.scale - 1);
  const int64_t side = std::max<int64_t>(1, std::llround(static_cast<double>(size) / zoom));
  const double reach = 2 * config.shift * static_cast<double>(size);
  const int64_t left = (size - side) / 2 + std::llround(reach * (draw.shift_x - 0.5));
  const int64_t top = (size - side) / 2 + std::llround(reach * (draw.shift_y - 0.5));
  torch::Tensor result = square;
  if (side != size || left != 0 || top != 0)
    result = image::resize(cut_out(square, left, top, side), size, size);
  return draw.flip < config.flip ? result.flip(1).contiguous() : result;
}

}  // namespace

void PictureConfig::validate() const {
  const auto is_fraction = [](double value) { return value >= 0 && value <= 0.5; };
  check(size >= 1 && size <= kMaxSide, ErrorKind::config, "size is ", size, ", expected 1 to ", kMaxSide);
  check(is_fraction(scale), ErrorKind::config, "scale is ", scale, ", expected 0 to 0.5");
  check(is_fraction(shift), ErrorKind::config, "shift is ", shift, ", expected 0 to 0.5");
  check(flip >= 0 && flip <= 1, ErrorKind::config, "flip is ", flip, ", expected 0 to 1");
  check(!low_res || (*low_res >= 1 && size % *low_res == 0), ErrorKind::config, "low_res is ",
        low_res.value_or(0), ", expected a divisor of size ", size);
  const int64_t factor = low_res ? size / *low_res : 1;
  check(!crop || (*crop >= 1 && *crop <= size && *crop % factor == 0), ErrorKind::config, "crop is ",
        crop.value_or(0), ", expected a multiple of ", factor, " up to size ", size);
}

torch::Tensor square_picture(std::span<const uint8_t> stored, const std::string& name, int64_t size) {
  return square_picture(image::flatten_on(image::decode(stored, name).pixels), size);
}

torch::Tensor square_picture(const torch::Tensor& pixels, int64_t size) {
  const int64_t shorter = std::min(pixels.size(0), pixels.size(1));
  return image::resize(image::center_crop(pixels, shorter, shorter), size, size).contiguous();
}

SamplePixels sample_pixels(const torch::Tensor& square,
                           const PictureConfig& config,
                           const AugmentationDraw& draw) {
  const torch::Tensor picture = augment(square, config, draw);
  const int64_t factor = config.low_res ? config.size / *config.low_res : 1;
  std::optional<torch::Tensor> low_res;
  if (config.low_res) low_res = image::resize(picture, *config.low_res, *config.low_res);
  if (!config.crop) return {picture, low_res};
  const int64_t places = (config.size - *config.crop) / factor + 1;  // on the grid of low-resolution pixels
  const auto left = static_cast<int64_t>(draw.crop_x * static_cast<double>(places));
  const auto top = static_cast<int64_t>(draw.crop_y * static_cast<double>(places));
  if (low_res) low_res = cut_out(*low_res, left, top, *config.crop / factor);
  return {cut_out(picture, left * factor, top * factor, *config.crop), low_res};
}

}  // namespace unclip::data
