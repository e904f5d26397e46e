#include "unclip/image/crop.h"

#include "unclip/image/pixels.h"

namespace unclip::image {

torch::Tensor crop(const torch::Tensor& pixels, int64_t top, int64_t left, int64_t height, int64_t width) {
  const torch::Tensor in = checked_pixels(pixels, 1);
  const bool is_inside = height > 0 && width > 0 && top >= 0 && left >= 0 && height <= in.size(0) - top &&
                         width <= in.size(1) - left;
  check(is_inside, ErrorKind::shape, "a part of ", width, " × ", height, " pixels at (", left, ", ", top,
        ") does not lie in a picture of ", in.size(1), " × ", in.size(0));
  return in.narrow(0, top, height).narrow(1, left, width).contiguous();
}

torch::Tensor center_crop(const torch::Tensor& pixels, int64_t height, int64_t width) {
  return crop(pixels, (pixels.size(0) - height) / 2, (pixels.size(1) - width) / 2, height, width);
}

torch::Tensor random_crop(const torch::Tensor& pixels, int64_t side, double u, double v) {
  check(u >= 0 && u < 1 && v >= 0 && v < 1, ErrorKind::shape, "a random place is (", u, ", ", v,
        "), expected numbers from 0 to below 1");
  const auto place = [side](int64_t length, double x) {
    return static_cast<int64_t>(x * static_cast<double>(length - side + 1));
  };
  return crop(pixels, place(pixels.size(0), v), place(pixels.size(1), u), side, side);
}

torch::Tensor pad_to_square(const torch::Tensor& pixels, uint8_t level) {
  const torch::Tensor in = checked_pixels(pixels, 1);
  const int64_t height = in.size(0), width = in.size(1), side = std::max(height, width);
  torch::Tensor result = torch::full({side, side, in.size(2)}, level, torch::kUInt8);
  if (in.size(2) == 4) result.select(2, 3).fill_(255);
  result.narrow(0, (side - height) / 2, height).narrow(1, (side - width) / 2, width).copy_(in);
  return result;
}

}  // namespace unclip::image
