#include "unclip/nn/layers.h"

#include <cmath>

namespace unclip::nn {
namespace {

constexpr int64_t kChannelBlock = 16;  // floats of a 512-bit vector

// Weights follow the input's dtype: the cast is recorded by autograd, so gradients arrive in the master's
// float32.
Tensor cast_like(const Tensor& parameter, const Tensor& x) {
  return parameter.defined() ? parameter.to(x.scalar_type()) : parameter;
}

std::optional<Tensor> optional_cast(const Tensor& parameter, const Tensor& x) {
  if (!parameter.defined()) return std::nullopt;
  return cast_like(parameter, x);
}

}  // namespace

void fill_parameter(Tensor& parameter, Init init, int64_t fan_in, const NoiseKey& key) {
  switch (init.kind) {
    case Init::Kind::zeros:
      parameter.zero_();
      break;
    case Init::Kind::normal:
      parameter.copy_(normal_noise(key, parameter.sizes()) * init.std);
      break;
    case Init::Kind::fan_in:
      parameter.copy_((uniform_noise(key, parameter.sizes()) * 2 - 1) /
                      std::sqrt(static_cast<double>(fan_in)));
      break;
  }
}

LinearImpl::LinearImpl(int64_t in, int64_t out, LinearOptions options) : init_(options.init) {
  weight = make_parameter("weight", {out, in});
  if (options.bias) bias = make_parameter("bias", {out});
}

Tensor LinearImpl::forward(const Tensor& x) {
  if (frozen() && can_use_packed(x)) return packed_(x, weight, bias);
  return at::linear(x, cast_like(weight, x), optional_cast(bias, x));
}

void LinearImpl::initialize(const NoiseKey& key) {
  fill_parameter(weight, init_, weight.size(1), key);
  if (!bias.defined()) return;
  const Init bias_init = init_.kind == Init::Kind::fan_in ? init_ : Init::zeros();
  fill_parameter(bias, bias_init, weight.size(1), {key.seed, key.stream, key.step + 1});
}

Conv2dImpl::Conv2dImpl(int64_t in, int64_t out, int64_t kernel, Conv2dOptions options)
    : stride_(options.stride), padding_(options.padding), init_(options.init) {
  weight = make_parameter("weight", {out, in, kernel, kernel});
  if (options.bias) bias = make_parameter("bias", {out});
}

Tensor Conv2dImpl::forward(const Tensor& x) {
  const Tensor input = x.contiguous(at::MemoryFormat::ChannelsLast);
  if (frozen() && can_use_packed(input)) return packed_(input, weight, bias, stride_, padding_);
  const int64_t out = weight.size(0), missing = (kChannelBlock - out % kChannelBlock) % kChannelBlock;
  if (missing == 0 || !torch::GradMode::is_enabled()) {
    return at::conv2d(input, cast_like(weight, x), optional_cast(bias, x), stride_, padding_);
  }
  // oneDNN's weight gradient is ten times slower when the outputs do not fill a vector: add zero rows, drop
  // them.
  const Tensor padded = at::constant_pad_nd(cast_like(weight, x), {0, 0, 0, 0, 0, 0, 0, missing});
  const Tensor y = at::conv2d(input, padded, {}, stride_, padding_).narrow(1, 0, out);
  return bias.defined() ? y + cast_like(bias, x).view({-1, 1, 1}) : y;
}

void Conv2dImpl::initialize(const NoiseKey& key) {
  const int64_t fan_in = weight.size(1) * weight.size(2) * weight.size(3);
  fill_parameter(weight, init_, fan_in, key);
  if (!bias.defined()) return;
  const Init bias_init = init_.kind == Init::Kind::fan_in ? init_ : Init::zeros();
  fill_parameter(bias, bias_init, fan_in, {key.seed, key.stream, key.step + 1});
}

LayerNormImpl::LayerNormImpl(int64_t width, double eps) : eps_(eps) {
  weight = make_parameter("weight", {width});
  bias = make_parameter("bias", {width});
}

Tensor LayerNormImpl::forward(const Tensor& x) {
  return at::layer_norm(x, weight.sizes(), cast_like(weight, x), cast_like(bias, x), eps_);
}

void LayerNormImpl::initialize(const NoiseKey& /*key*/) {
  weight.fill_(1.0);
  bias.zero_();
}

EmbeddingImpl::EmbeddingImpl(int64_t count, int64_t width, double std) : std_(std) {
  weight = make_parameter("weight", {count, width});
}

Tensor EmbeddingImpl::forward(const Tensor& ids) { return at::embedding(weight, ids); }

void EmbeddingImpl::initialize(const NoiseKey& key) { fill_parameter(weight, Init::normal(std_), 1, key); }

}  // namespace unclip::nn
