#include "unclip/image/network.h"

#include <cmath>

#include "unclip/image/crop.h"
#include "unclip/image/decode.h"
#include "unclip/image/pixels.h"
#include "unclip/image/resize.h"

namespace unclip::image {
namespace {

torch::Tensor checked_rgb(const torch::Tensor& pixels) {
  const torch::Tensor in = checked_pixels(pixels);
  check(in.size(2) == 3, ErrorKind::shape, "a network takes RGB pictures, got ", in.size(2),
        " channels: flatten_on puts a transparent picture on white");
  return in;
}

torch::Tensor as_batch(const torch::Tensor& pixels) { return pixels.permute({2, 0, 1}).unsqueeze(0); }

torch::Tensor per_channel(const std::array<float, 3>& values) {
  return torch::tensor(at::ArrayRef<float>(values.data(), 3)).reshape({1, 3, 1, 1});
}

}  // namespace

torch::Tensor to_network(const torch::Tensor& pixels) {
  return as_batch(checked_rgb(pixels)).to(torch::kFloat32).div_(127.5).sub_(1);
}

torch::Tensor to_pixels(const torch::Tensor& pictures) {
  check(pictures.is_floating_point() && pictures.dim() == 4 && pictures.size(1) == 3, ErrorKind::shape,
        "pictures have type ", pictures.scalar_type(), " and shape ", pictures.sizes(),
        ", expected floating point [N, 3, H, W]");
  const torch::Tensor levels = pictures.detach().to(torch::kCPU, torch::kFloat32).add(1).mul_(127.5);
  return levels.nan_to_num_(0).round_().clamp_(0, 255).to(torch::kUInt8).permute({0, 2, 3, 1}).contiguous();
}

torch::Tensor fit_picture(const torch::Tensor& pixels, const Preprocessing& settings) {
  const torch::Tensor in = checked_rgb(pixels);
  if (settings.fit == Fit::squash) return resize(in, settings.height, settings.width, settings.filter);
  const int64_t height = in.size(0), width = in.size(1), shorter = std::min(height, width);
  const int64_t side = settings.shorter_side, longer = side * std::max(height, width) / shorter;
  check(longer * side <= kMaxPixels, ErrorKind::data, "a picture of ", width, " × ", height,
        " pixels is too long for its other side: it would become ", longer, " pixels long; crop it first");
  const torch::Tensor resized = resize(in, side * height / shorter, side * width / shorter, settings.filter);
  const auto start = [&](int64_t length, int64_t kept) {
    const int64_t rest = length - kept;
    return settings.fit == Fit::crop_rounded ? std::llrint(static_cast<double>(rest) / 2) : rest / 2;
  };
  return crop(resized, start(resized.size(0), settings.height), start(resized.size(1), settings.width),
              settings.height, settings.width);
}

torch::Tensor standardize(const torch::Tensor& pixels, const Normalization& normalization) {
  const torch::Tensor levels = as_batch(checked_rgb(pixels)).to(torch::kFloat32).div_(255);
  return levels.sub_(per_channel(normalization.mean)).div_(per_channel(normalization.std));
}

torch::Tensor preprocess(const torch::Tensor& pixels, const Preprocessing& settings) {
  return standardize(fit_picture(pixels, settings), settings.normalization);
}

torch::Tensor clip_preprocess(const torch::Tensor& pixels, int64_t size, const Normalization& normalization) {
  return preprocess(pixels,
                    {.shorter_side = size, .height = size, .width = size, .normalization = normalization});
}

}  // namespace unclip::image
