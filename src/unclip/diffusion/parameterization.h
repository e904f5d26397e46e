// What a network is trained to predict, and how the three predictions turn into each other.
#pragma once
#include <array>

#include "unclip/base/config.h"
#include "unclip/diffusion/process.h"

namespace unclip::diffusion {

/// x_0: the clean data (the prior, unCLIP §2.2); epsilon: the noise (decoder and upsamplers);
/// v = √ᾱ ε − √(1 − ᾱ) x_0 (Salimans & Ho 2022, App. D).
enum class Parameterization { x_0, epsilon, v };

/// x_t = √ᾱ x_0 + √(1 − ᾱ) ε solved for ε, for x_0, and rotated into v.
template <class Scale>
Tensor epsilon_from_x_0(const Tensor& x_0, const Tensor& x_t, const NoiseLevel<Scale>& level) {
  return (x_t - level.signal * x_0) / level.noise;
}
template <class Scale>
Tensor x_0_from_epsilon(const Tensor& eps, const Tensor& x_t, const NoiseLevel<Scale>& level) {
  return (x_t - level.noise * eps) / level.signal;
}
template <class Scale>
Tensor v_from_x_0_and_epsilon(const Tensor& x_0, const Tensor& eps, const NoiseLevel<Scale>& level) {
  return level.signal * eps - level.noise * x_0;
}
template <class Scale>
Tensor x_0_from_v(const Tensor& v, const Tensor& x_t, const NoiseLevel<Scale>& level) {
  return level.signal * x_t - level.noise * v;
}

/// x̂_0 from a network's output.
template <class Scale>
Tensor predicted_x_0(Parameterization parameterization,
                     const Tensor& output,
                     const Tensor& x_t,
                     const NoiseLevel<Scale>& level) {
  switch (parameterization) {
    case Parameterization::epsilon:
      return x_0_from_epsilon(output, x_t, level);
    case Parameterization::v:
      return x_0_from_v(output, x_t, level);
    case Parameterization::x_0:
      break;
  }
  return output;
}

/// What the network should have answered on this batch.
Tensor target(Parameterization parameterization, const NoiseSchedule& schedule, const NoisedBatch& batch);

}  // namespace unclip::diffusion

template <>
struct unclip::EnumNames<unclip::diffusion::Parameterization> {
  static constexpr std::array<std::pair<diffusion::Parameterization, std::string_view>, 3> value{
      {{diffusion::Parameterization::x_0, "x_0"},
       {diffusion::Parameterization::epsilon, "epsilon"},
       {diffusion::Parameterization::v, "v"}}};
};
