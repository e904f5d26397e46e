#include "unclip/image/degrade.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "unclip/image/decode.h"
#include "unclip/image/encode.h"
#include "unclip/image/network.h"
#include "unclip/image/pixels.h"

namespace unclip::image {
namespace {

using torch::Tensor;

/// Random numbers in sequence; each picture has a few dozen.
class Dice {
 public:
  explicit Dice(const NoiseKey& key) : key_(key) {}
  /// U[low, high)
  double uniform(double low, double high) { return low + (high - low) * unit(); }
  bool chance(double probability) { return unit() < probability; }
  /// Every whole number from `first` to `last` alike.
  int64_t whole(int64_t first, int64_t last) {
    return first + static_cast<int64_t>(unit() * static_cast<double>(last - first + 1));
  }
  /// N(0, 1) of `shape`, from a stream of its own.
  Tensor normal(torch::IntArrayRef shape) {
    return normal_noise({key_.seed, key_.stream ^ stream_id("bsr field"), key_.step * 256 + fields_++},
                        shape);
  }

 private:
  double unit() {
    if (next_ == bits_.size()) bits_ = random_bits(key_, std::max<size_t>(64, 2 * bits_.size()));
    return bits_[next_++] * 0x1p-32;
  }
  NoiseKey key_;
  std::vector<uint32_t> bits_;
  size_t next_ = 0;
  uint64_t fields_ = 0;
};

// ---- filtering and resizing of float pictures [1, 3, H, W] in 0…1
// -------------------------------------------

/// Positions −before … length − 1 + after, mirrored at the borders without repeating them: also where the
/// picture is smaller than the border.
Tensor mirrored_positions(int64_t length, int64_t before, int64_t after) {
  std::vector<int64_t> positions;
  const int64_t period = std::max<int64_t>(1, 2 * (length - 1));
  for (int64_t i = -before; i < length + after; ++i) {
    const int64_t place = ((i % period) + period) % period;
    positions.push_back(std::min(place, period - place));
  }
  return torch::tensor(positions);
}

/// Each channel weighted by `kernel` [k, k], whose middle is k / 2; every `stride`-th result is kept.
Tensor filtered(const Tensor& x, const Tensor& kernel, int64_t stride = 1) {
  const int64_t size = kernel.size(0), before = size / 2, after = size - 1 - before, channels = x.size(1);
  const Tensor padded = x.index_select(2, mirrored_positions(x.size(2), before, after))
                            .index_select(3, mirrored_positions(x.size(3), before, after));
  const Tensor weights = kernel.to(x.scalar_type()).expand({channels, 1, size, size});
  return at::conv2d(padded, weights, std::nullopt, at::IntArrayRef(stride), at::IntArrayRef(0),
                    at::IntArrayRef(1), channels);
}

/// The Gaussian of covariance Σ = [[xx, xy], [xy, yy]] on a grid of `size`, its mean `shift` pixels right of
/// and below the middle.
struct Gaussian {
  double xx, xy, yy;
  double shift = 0;
  Tensor on_grid(int64_t size) const {
    // A Gaussian much narrower than a pixel is a point: its exponents would all be infinite.
    constexpr double kLeastVariance = 1e-3;
    const double a = xx + kLeastVariance, d = yy + kLeastVariance, determinant = a * d - xy * xy;
    const Tensor place = torch::arange(size, torch::kFloat64) - static_cast<double>(size - 1) / 2 - shift;
    const Tensor x = place.reshape({1, -1}), y = place.reshape({-1, 1});
    const Tensor exponent = (d * x * x - 2 * xy * x * y + a * y * y) * (-0.5 / determinant);
    const Tensor weights = (exponent - exponent.max()).exp();
    return weights / weights.sum();
  }
};

Gaussian round_gaussian(double sigma, double shift = 0) { return {sigma * sigma, 0, sigma * sigma, shift}; }

/// Row i says how much of each of `in` pixels the i-th of `out` pixels covers.
Tensor coverage(int64_t in, int64_t out) {
  const double scale = static_cast<double>(in) / static_cast<double>(out);
  const Tensor first = torch::arange(out, torch::kFloat64).mul(scale).reshape({-1, 1});
  const Tensor pixel = torch::arange(in, torch::kFloat64).reshape({1, -1});
  const Tensor overlap = torch::minimum(first + scale, pixel + 1) - torch::maximum(first, pixel);
  return (overlap.clamp_min(0) / scale).to(torch::kFloat32);
}

enum class Interpolation : uint8_t { linear, cubic, area };

/// Without antialiasing except for `area`: aliasing is part of the damage.
Tensor resized(const Tensor& x, int64_t height, int64_t width, Interpolation how) {
  switch (how) {
    case Interpolation::linear:
      return at::upsample_bilinear2d(x, {height, width}, false);
    case Interpolation::cubic:
      return at::upsample_bicubic2d(x, {height, width}, false);
    case Interpolation::area:
      break;
  }
  return coverage(x.size(2), height).matmul(x).matmul(coverage(x.size(3), width).t());
}

Interpolation any_interpolation(Dice& dice) { return static_cast<Interpolation>(dice.whole(0, 2)); }

// ---- the steps
// ----------------------------------------------------------------------------------------------

Tensor blurred(const Tensor& x, double factor, Dice& dice) {
  if (dice.chance(0.5)) {  // stretched and turned
    const double widest = (4 + factor) / 4;
    const double first = dice.uniform(0, widest), second = dice.uniform(0, widest);  // eigenvalues of Σ
    const double angle = dice.uniform(0, std::numbers::pi), c = std::cos(angle), s = std::sin(angle);
    const Gaussian gaussian{first * c * c + second * s * s, (first - second) * c * s,
                            first * s * s + second * c * c};
    return filtered(x, gaussian.on_grid(dice.whole(2, 11) + 3));
  }
  const double sigma = dice.uniform(0, (2 + 0.2 * factor) / 4);
  return filtered(x, round_gaussian(sigma).on_grid(dice.whole(2, 4) + 3));
}

Tensor shrunk(const Tensor& x, double factor, Dice& dice) {
  if (dice.chance(0.8)) {
    const double scale = 1 / dice.uniform(1, 2 * factor);
    const auto part = [scale](int64_t length) {
      return std::max<int64_t>(1, static_cast<int64_t>(scale * static_cast<double>(length)));
    };
    return resized(x, part(x.size(2)), part(x.size(3)), any_interpolation(dice));
  }
  const double sigma = dice.uniform(0.1, 0.6 * std::max(1.0, factor));
  return filtered(x, round_gaussian(sigma, (factor - 1) / 2).on_grid(25), static_cast<int64_t>(factor));
}

/// An orthogonal matrix, uniform among the rotations: Gram–Schmidt of a normal one.
Tensor random_rotation(Dice& dice) {
  std::vector<Tensor> rows = dice.normal({3, 3}).unbind(0);
  for (size_t i = 0; i < rows.size(); ++i) {
    for (size_t j = 0; j < i; ++j) rows[i] = rows[i] - rows[i].dot(rows[j]) * rows[j];
    rows[i] = rows[i] / rows[i].norm();
  }
  return torch::stack(rows);
}

Tensor noised(const Tensor& x, Dice& dice) {
  const double level = static_cast<double>(dice.whole(1, 2)) / 255, kind = dice.uniform(0, 1);
  const int64_t height = x.size(2), width = x.size(3);
  if (kind < 0.4) return x + level * dice.normal({1, 3, height, width});
  if (kind < 0.8) return x + level * dice.normal({1, 1, height, width});  // grey
  // Channels that vary together: covariance level² · Uᵀ D U.
  Tensor spread = torch::empty({3, 1});
  for (int64_t c = 0; c < 3; ++c) spread[c][0] = std::sqrt(dice.uniform(0, 1));
  const Tensor mix = random_rotation(dice).t().matmul(spread * torch::eye(3));
  return x + level * mix.matmul(dice.normal({3, height * width})).reshape({1, 3, height, width});
}

Tensor compressed(const Tensor& x, Dice& dice) {
  const Tensor pixels = to_pixels(x * 2 - 1)[0];
  const std::vector<uint8_t> file = encode_jpeg(pixels, static_cast<int>(dice.whole(80, 95)));
  return to_network(decode(file, "a picture that is being degraded").pixels).add(1).mul(0.5);
}

enum class Step : uint8_t { blur, shrink, fit, noise, compress };

/// Any order in which `fit` comes after `shrink`.
std::array<Step, 5> any_order(Dice& dice) {
  std::array<Step, 5> order{Step::blur, Step::shrink, Step::fit, Step::noise, Step::compress};
  for (size_t i = order.size() - 1; i > 0; --i)
    std::swap(order[i], order[dice.whole(0, static_cast<int64_t>(i))]);
  auto* shrink = std::find(order.begin(), order.end(), Step::shrink);
  auto* fit = std::find(order.begin(), order.end(), Step::fit);
  if (fit < shrink) std::swap(*fit, *shrink);
  return order;
}

}  // namespace

Tensor gaussian_blur(const Tensor& pictures, const BlurOptions& options) {
  check(pictures.dim() == 4 && pictures.is_floating_point(), ErrorKind::shape, "pictures have type ",
        pictures.scalar_type(), " and shape ", pictures.sizes(), ", expected floating point [N, C, H, W]");
  check(options.kernel > 0 && options.kernel % 2 == 1 && options.sigma > 0, ErrorKind::shape,
        "a blur has a kernel of ", options.kernel, " and a sigma of ", options.sigma,
        ", expected an odd kernel and a positive sigma");
  const int64_t half = options.kernel / 2;
  const Tensor place = torch::arange(-half, half + 1, torch::kFloat64);
  const Tensor line = (place.square() * (-0.5 / (options.sigma * options.sigma))).exp();
  const Tensor weights = line / line.sum();
  return filtered(pictures, weights.outer(weights));
}

Tensor bsr_degrade(const Tensor& pixels, int64_t factor, const NoiseKey& key) {
  const Tensor in = checked_pixels(pixels);
  check(factor >= 1 && in.size(2) == 3 && in.size(0) >= factor && in.size(1) >= factor, ErrorKind::shape,
        "a picture of shape ", in.sizes(), " cannot be degraded by a factor of ", factor);
  const int64_t height = in.size(0) / factor, width = in.size(1) / factor;
  Dice dice(key);
  Tensor x = to_network(in.slice(0, 0, height * factor).slice(1, 0, width * factor)).add(1).mul(0.5);
  double left = static_cast<double>(factor);  // what blur and shrink still have to do
  if (factor == 4 && dice.chance(0.25)) {
    const Interpolation how = any_interpolation(dice);
    x = dice.chance(0.5) ? resized(x, 2 * height, 2 * width, how)
                         : at::_upsample_bicubic2d_aa(x, {2 * height, 2 * width}, false);
    x.clamp_(0, 1);
    left = 2;
  }
  for (const Step step : any_order(dice)) {
    switch (step) {
      case Step::blur:
        x = blurred(x, left, dice);
        break;
      case Step::shrink:
        x = shrunk(x, left, dice);
        break;
      case Step::fit:
        x = resized(x, height, width, any_interpolation(dice));
        break;
      case Step::noise:
        x = noised(x, dice);
        break;
      case Step::compress:
        if (dice.chance(0.9)) x = compressed(x, dice);
        break;
    }
    x = x.clamp(0, 1);
  }
  return to_pixels(compressed(x, dice) * 2 - 1)[0];
}

}  // namespace unclip::image
