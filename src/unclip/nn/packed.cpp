#include "unclip/nn/packed.h"

#include <ATen/Context.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include <array>

namespace unclip::nn {
namespace {

using Scalars = torch::List<std::optional<at::Scalar>>;

/// An operator of LibTorch that has no C++ function.
template <class Signature>
c10::TypedOperatorHandle<Signature> find_operator(const char* name) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, "").typed<Signature>();
}

Tensor reorder_linear(const Tensor& weight, int64_t rows) {
  static const auto call =
      find_operator<Tensor(const Tensor&, std::optional<int64_t>)>("mkldnn::_reorder_linear_weight");
  return call.call(weight, rows);
}

Tensor multiply(const Tensor& x, const Tensor& weight, const std::optional<Tensor>& bias) {
  static const auto call =
      find_operator<Tensor(const Tensor&, const Tensor&, const std::optional<Tensor>&, std::string_view,
                           Scalars, std::optional<std::string_view>)>("mkldnn::_linear_pointwise");
  return call.call(x, weight, bias, "none", Scalars(), "");
}

Tensor reorder_convolution(const Tensor& weight,
                           const Tensor& x,
                           at::IntArrayRef stride,
                           at::IntArrayRef padding) {
  static const auto call =
      find_operator<Tensor(const Tensor&, at::IntArrayRef, at::IntArrayRef, at::IntArrayRef, int64_t,
                           at::OptionalIntArrayRef)>("mkldnn::_reorder_convolution_weight");
  return call.call(weight, padding, stride, at::IntArrayRef{1, 1}, 1, x.sizes());
}

struct Convolution {
  const Tensor& x;
  const Tensor& weight;
  const std::optional<Tensor>& bias;
};

Tensor convolve(const Convolution& c, at::IntArrayRef stride, at::IntArrayRef padding) {
  static const auto call =
      find_operator<Tensor(const Tensor&, const Tensor&, const std::optional<Tensor>&, at::IntArrayRef,
                           at::IntArrayRef, at::IntArrayRef, int64_t, std::string_view, Scalars,
                           std::optional<std::string_view>)>("mkldnn::_convolution_pointwise");
  return call.call(c.x, c.weight, c.bias, padding, stride, at::IntArrayRef{1, 1}, 1, "none", Scalars(), "");
}

std::optional<Tensor> optional_cast(const Tensor& bias, torch::ScalarType dtype) {
  return bias.defined() ? std::make_optional(bias.to(dtype)) : std::nullopt;
}

}  // namespace

bool can_use_packed(const Tensor& x) {
  static const bool available = at::globalContext().hasMKLDNN();
  return available && !at::GradMode::is_enabled() && x.is_cpu() && x.numel() > 0 &&
         (x.scalar_type() == torch::kFloat32 || x.scalar_type() == torch::kBFloat16);
}

Tensor PackedLinear::operator()(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  const int64_t rows = x.numel() / x.size(-1);
  const torch::ScalarType dtype = x.scalar_type();
  if (rows <= small_batch_limit(dtype)) {
    // Weights stored as bfloat16 stay so, as half the bytes of the same numbers.
    const bool narrow = weight.scalar_type() == torch::kBFloat16 || dtype == torch::kBFloat16;
    const torch::ScalarType stored = narrow ? torch::kBFloat16 : torch::kFloat32;
    const auto packed = streamed_.get(stored, [&]() -> Streamed {
      return {StreamedWeight(weight, stored), bias.defined() ? bias.to(torch::kFloat32) : bias};
    });
    return packed->weight.multiply(x, packed->bias);
  }
  const auto packed = reordered_.get(dtype, [&]() -> Reordered {
    return {reorder_linear(weight.to(dtype), rows), optional_cast(bias, dtype)};
  });
  return multiply(x, packed->weight, packed->bias);
}

Tensor PackedConv2d::operator()(
    const Tensor& x, const Tensor& weight, const Tensor& bias, int64_t stride, int64_t padding) {
  const std::array<int64_t, 2> strides{stride, stride}, paddings{padding, padding};
  const torch::ScalarType dtype = x.scalar_type();
  const auto packed = reordered_.get({dtype, x.size(2), x.size(3)}, [&]() -> Reordered {
    return {reorder_convolution(weight.to(dtype), x, strides, paddings), optional_cast(bias, dtype)};
  });
  return convolve({x, packed->weight, packed->bias}, strides, paddings);
}

}  // namespace unclip::nn
