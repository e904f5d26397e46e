#include "unclip/train/lr_schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace unclip::train {

double lr_factor(const LrScheduleConfig& config, int64_t step, int64_t total) {
  if (step < config.warmup_steps)
    return static_cast<double>(step + 1) / static_cast<double>(config.warmup_steps);
  if (config.decay == Decay::constant) return 1.0;
  const auto span = static_cast<double>(std::max<int64_t>(total - config.warmup_steps, 1));
  const double progress = std::min(static_cast<double>(step - config.warmup_steps) / span, 1.0);
  const double falling =
      config.decay == Decay::cosine ? 0.5 * (1 + std::cos(std::numbers::pi * progress)) : 1 - progress;
  return config.final_fraction + (1 - config.final_fraction) * falling;
}

}  // namespace unclip::train
