// Learning rate over the course of a run: linear warm-up, then constant, cosine or linear decay.
#pragma once
#include <array>

#include "unclip/base/config.h"

namespace unclip::train {

enum class Decay { constant, cosine, linear };

struct LrScheduleConfig {
  int64_t warmup_steps = 0;
  Decay decay = Decay::constant;
  double final_fraction = 0.0;  // of the peak rate, at the last step

  static void fields(auto& self, auto&& field) {
    field("warmup_steps", self.warmup_steps, "steps from 0 to the peak rate");
    field("decay", self.decay, "constant, cosine or linear");
    field("final_fraction", self.final_fraction, "rate at the last step over the peak rate");
  }
};

/// The factor of the peak rate at `step` (0-based) of `total` steps.
double lr_factor(const LrScheduleConfig& config, int64_t step, int64_t total);

}  // namespace unclip::train

template <>
struct unclip::EnumNames<unclip::train::Decay> {
  static constexpr std::array<std::pair<train::Decay, std::string_view>, 3> value{
      {{train::Decay::constant, "constant"},
       {train::Decay::cosine, "cosine"},
       {train::Decay::linear, "linear"}}};
};
