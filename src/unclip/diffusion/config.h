// How a stage's network is trained and read: what belongs beside its weights.
#pragma once
#include "unclip/diffusion/noise_schedule.h"
#include "unclip/diffusion/parameterization.h"

namespace unclip::diffusion {

/// What is done to x̂_0 while sampling: nothing, clamping to ±bound, or Imagen's dynamic thresholding
/// (Saharia et al. 2022, §2.3).
enum class Threshold { none, clamp, dynamic };

struct ThresholdConfig {
  Threshold kind = Threshold::none;
  double bound = 1.0;
  double quantile = 0.995;  // of |x̂_0| of one picture, with kind dynamic

  static void fields(auto& self, auto&& field) {
    field("kind", self.kind, "none, clamp (to the bound) or dynamic (by a quantile of each picture)");
    field("bound", self.bound, "largest |x_0|");
    field("quantile", self.quantile, "of |x_0|, with kind dynamic");
  }
  void validate() const;
};

struct DiffusionConfig {
  ScheduleConfig schedule{};
  Parameterization parameterization = Parameterization::epsilon;
  bool learn_sigma = false;  // the output's second half of channels is v of Nichol & Dhariwal 2021, Eq. 15
  ThresholdConfig threshold{};

  static void fields(auto& self, auto&& field) {
    field("schedule", self.schedule, "the noise schedule");
    field("parameterization", self.parameterization, "what the network predicts: x_0, epsilon or v");
    field("learn_sigma", self.learn_sigma,
          "the network also predicts the variance, in as many more channels");
    field("threshold", self.threshold, "bound of x_0 while sampling");
  }
  void validate() const;
};

}  // namespace unclip::diffusion

template <>
struct unclip::EnumNames<unclip::diffusion::Threshold> {
  static constexpr std::array<std::pair<diffusion::Threshold, std::string_view>, 3> value{
      {{diffusion::Threshold::none, "none"},
       {diffusion::Threshold::clamp, "clamp"},
       {diffusion::Threshold::dynamic, "dynamic"}}};
};
