#include "unclip/diffusion/samplers/trajectory.h"

#include <torch/autograd.h>

#include "unclip/base/error.h"

namespace unclip::diffusion {

Tensor run_steps(const Trajectory& trajectory,
                 const Tensor& x_T,
                 const SamplingHooks& hooks,
                 const StepFunction& take_step) {
  const torch::NoGradGuard no_grad;
  const auto count = static_cast<int64_t>(trajectory.steps.size());
  check(count > 0, ErrorKind::config, "a sampler was given 0 steps, expected at least 1");
  Tensor x = x_T.to(at::promote_types(x_T.scalar_type(), torch::kFloat32));
  for (int64_t index = 0; index < count; ++index) {
    hooks.stop.throw_if_stopped();
    const Step& step = trajectory.steps[static_cast<size_t>(index)];
    const StepResult result = take_step(x, step, index);
    x = result.x;
    if (hooks.observer) hooks.observer({index, count, step, x, result.x_0});
  }
  return x;
}

Tensor step_noise(const SamplingHooks& hooks, const Tensor& like, int64_t index) {
  check(static_cast<bool>(hooks.noise), ErrorKind::config,
        "a sampler that draws noise was given no noise source, expected for instance picture_noise(seeds, "
        "stage)");
  return hooks.noise(like, index);
}

}  // namespace unclip::diffusion
