// Shape of an upsampler (unCLIP §2.1, App. C, Table 3): the ADM UNet with convolutions only.
#pragma once
#include <array>

#include "unclip/diffusion/config.h"
#include "unclip/diffusion/sampler.h"
#include "unclip/nn/unet_config.h"

namespace unclip::upsampler {

/// How the low-resolution picture is spoilt in training, so that the net mends a decoder's faults too:
/// Gaussian blur for 64→256, BSR degradation for 256→1024 (unCLIP §2.1).
enum class Corruption { none, blur, bsr };
/// How the low-resolution picture is enlarged before it joins x_t.
enum class Enlarge { bilinear, bicubic };

struct UpsamplerConfig {
  nn::UNetConfig unet{.size = 256,
                      .in_channels = 6,
                      .out_channels = 3,
                      .channels = 320,
                      .attention_resolutions = {},
                      .mid_attention = false};
  diffusion::DiffusionConfig diffusion{.threshold = {.kind = diffusion::Threshold::clamp}};
  diffusion::SamplerConfig sampler{.kind = diffusion::Sampler::ddim, .timesteps = "27"};
  int64_t low_size = 64;
  Enlarge enlarge = Enlarge::bicubic;
  Corruption corruption = Corruption::blur;
  double corruption_rate = 0.5;  // share of training pictures that are spoilt; the paper names none
  double crop = 0.25;            // side of training crops over the full side (unCLIP Table 3)
  /// x̂_0 is the enlarged picture plus what the net gives: for small nets, which begin as the enlargement and
  /// spend nothing on passing it through. With parameterization x_0. Not in the paper.
  bool residual = false;

  static void fields(auto& self, auto&& field) {
    field("unet", self.unet, "the ADM UNet, without attention");
    field("diffusion", self.diffusion, "schedule, parameterization, variance");
    field("sampler", self.sampler, "how pictures are drawn by default");
    field("low_size", self.low_size, "side of the pictures that come in");
    field("enlarge", self.enlarge, "bilinear or bicubic (antialiased kernel)");
    field("corruption", self.corruption, "none, blur or bsr, of the low-resolution picture in training");
    field("corruption_rate", self.corruption_rate, "share of training pictures that are spoilt");
    field("crop", self.crop, "side of training crops over the full side");
    field("residual", self.residual, "the net gives what the enlarged picture lacks (with x_0)");
  }
  void validate() const;
};

}  // namespace unclip::upsampler

template <>
struct unclip::EnumNames<unclip::upsampler::Corruption> {
  static constexpr std::array<std::pair<upsampler::Corruption, std::string_view>, 3> value{
      {{upsampler::Corruption::none, "none"},
       {upsampler::Corruption::blur, "blur"},
       {upsampler::Corruption::bsr, "bsr"}}};
};
template <>
struct unclip::EnumNames<unclip::upsampler::Enlarge> {
  static constexpr std::array<std::pair<upsampler::Enlarge, std::string_view>, 2> value{
      {{upsampler::Enlarge::bilinear, "bilinear"}, {upsampler::Enlarge::bicubic, "bicubic"}}};
};
