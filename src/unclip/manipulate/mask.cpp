#include "unclip/manipulate/mask.h"

#include <ATen/ops/adaptive_max_pool2d.h>

#include "unclip/base/error.h"
#include "unclip/image/crop.h"

namespace unclip::manipulate {
namespace {

constexpr double kHalf = 127.5;
constexpr int64_t kOpaque = 255;

/// ITU-R BT.601, as Pillow's conversion to grey.
torch::Tensor luminance(const torch::Tensor& rgb) {
  const torch::Tensor x = rgb.to(torch::kFloat32);
  return 0.299 * x.select(2, 0) + 0.587 * x.select(2, 1) + 0.114 * x.select(2, 2);
}

}  // namespace

torch::Tensor repaint_mask(const torch::Tensor& pixels) {
  check(pixels.scalar_type() == torch::kUInt8 && pixels.dim() == 3 && pixels.size(2) >= 3, ErrorKind::shape,
        "a mask has shape ", pixels.sizes(), ", expected uint8 [height, width, 3 or 4]");
  const bool transparent = pixels.size(2) == 4 && (pixels.select(2, 3) < kOpaque).any().item<bool>();
  torch::Tensor mask = transparent ? pixels.select(2, 3) < kHalf : luminance(pixels) >= kHalf;
  check(mask.any().item<bool>(), ErrorKind::data,
        "the mask has nothing to repaint: make that part white, or transparent");
  return mask;
}

torch::Tensor resize_mask(const torch::Tensor& mask, int64_t side) {
  const torch::Tensor touched = mask.to(torch::kFloat32).unsqueeze(0).unsqueeze(0);
  return std::get<0>(at::adaptive_max_pool2d(touched, {side, side})) > 0;
}

Canvas make_canvas(const torch::Tensor& pixels, const torch::Tensor& mask) {
  const int64_t height = pixels.size(0), width = pixels.size(1), side = std::max(height, width);
  check(mask.size(0) == height && mask.size(1) == width, ErrorKind::data, "the mask has ", mask.size(1),
        " × ", mask.size(0), " pixels, but the picture has ", width, " × ", height,
        ": they must be of one size");
  Canvas canvas{.pixels = image::pad_to_square(pixels),
                .mask = torch::zeros({side, side}, torch::kBool),
                .top = (side - height) / 2,
                .left = (side - width) / 2,
                .height = height,
                .width = width};
  canvas.mask.narrow(0, canvas.top, height).narrow(1, canvas.left, width).copy_(mask);
  return canvas;
}

torch::Tensor compose(const torch::Tensor& original, const torch::Tensor& drawn, const torch::Tensor& mask) {
  torch::Tensor result = original.clone();
  torch::Tensor rgb = result.narrow(2, 0, 3);
  rgb.copy_(torch::where(mask.unsqueeze(2), drawn, rgb));
  if (result.size(2) == 4) result.select(2, 3).masked_fill_(mask, kOpaque);
  return result;
}

}  // namespace unclip::manipulate
