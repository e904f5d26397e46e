// What all samplers share: the steps they take, what they are given and how they report.
#pragma once
#include <functional>

#include "unclip/base/noise.h"
#include "unclip/base/stop.h"
#include "unclip/diffusion/denoiser.h"

namespace unclip::diffusion {

/// The steps of one run, in the order in which they are taken: usually sampling_steps(…), from noise to x_0.
struct Trajectory {
  NoiseSchedule schedule;
  std::vector<Step> steps{};
};

/// The state of a run after one step.
struct StepReport {
  int64_t index = 0;  // 0 … count − 1
  int64_t count = 0;
  Step step;
  Tensor x;    // x_{t_prev}
  Tensor x_0;  // the step's estimate of x_0
};

struct SamplingHooks {
  NoiseSource noise{};                                // asked with the step's index; unused by ODE samplers
  std::function<void(const StepReport&)> observer{};  // after every step: progress, previews
  StopToken stop{};                                   // asked before every step
};

/// What one step makes.
struct StepResult {
  Tensor x;
  Tensor x_0;
};
using StepFunction = std::function<StepResult(const Tensor& x, const Step& step, int64_t index)>;

/// Takes every step of the trajectory in turn, without gradients, with the state in float32 (or float64 if
/// x_T is) on x_T's device. Throws Error(interrupted) between steps when the hooks' token says stop,
/// Error(config) if there are no steps.
Tensor run_steps(const Trajectory& trajectory,
                 const Tensor& x_T,
                 const SamplingHooks& hooks,
                 const StepFunction& take_step);

/// Noise of this step; Error(config) if the hooks have no source.
Tensor step_noise(const SamplingHooks& hooks, const Tensor& like, int64_t index);

}  // namespace unclip::diffusion
