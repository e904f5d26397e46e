#include "unclip/manipulate/inpaint.h"

#include <cmath>

#include "unclip/base/error.h"

namespace unclip::manipulate {
namespace {

using diffusion::Step;
using diffusion::StepResult;

bool goes_up(const Step& step) { return step.t_prev > step.t; }

/// The steps between two ends of a trajectory in one: from where `last` ends up to where `first` began.
Step jump_back(const Step& first, const Step& last) { return {.t = last.t_prev, .t_prev = first.t}; }

/// x_{t+j} ~ q(x_{t+j} | x_t).
Tensor noised(const diffusion::NoiseSchedule& schedule,
              const Tensor& x,
              const Step& up,
              const Tensor& noise) {
  const double kept = schedule.alpha_bar(up.t_prev) / schedule.alpha_bar(up.t);
  return std::sqrt(kept) * x + std::sqrt(1 - kept) * noise;
}

}  // namespace

void InpaintOptions::validate() const {
  check(jump_length >= 1, ErrorKind::config, "jump_length is ", jump_length, ", expected at least 1");
  check(resamplings >= 1, ErrorKind::config, "resamplings are ", resamplings, ", expected at least 1");
  check(eta >= 0 && eta <= 1, ErrorKind::config, "eta is ", eta, ", expected a number from 0 to 1");
}

InpaintWalk inpainting_walk(const diffusion::Trajectory& down, const InpaintOptions& options) {
  options.validate();
  diffusion::Trajectory walk{.schedule = down.schedule};
  const auto count = static_cast<int64_t>(down.steps.size());
  // Stretches are counted from the clean end, so that the last one is whole.
  for (int64_t first = 0; first < count;) {
    const int64_t rest = (count - first) % options.jump_length;
    const int64_t last = first + (rest > 0 ? rest : options.jump_length);
    const auto begin = down.steps.begin() + first, end = down.steps.begin() + last;
    for (int64_t round = 0; round < options.resamplings; ++round) {
      if (round > 0) walk.steps.push_back(jump_back(*begin, *(end - 1)));
      walk.steps.insert(walk.steps.end(), begin, end);
    }
    first = last;
  }
  return {.steps = walk, .eta = options.eta};
}

Tensor inpaint(const diffusion::Denoiser& denoise,
               const KnownPixels& known,
               const Tensor& x_T,
               const InpaintWalk& walk,
               const diffusion::SamplingHooks& hooks) {
  check(known.repaint.scalar_type() == torch::kBool && known.repaint.dim() == 4 && known.x_0.dim() == 4 &&
            known.repaint.sizes().slice(2) == x_T.sizes().slice(2) &&
            known.x_0.sizes().slice(1) == x_T.sizes().slice(1),
        ErrorKind::shape, "inpaint: pictures ", known.x_0.sizes(), " and mask ", known.repaint.sizes(),
        " do not fit ", x_T.sizes());
  const diffusion::NoiseSchedule& schedule = walk.steps.schedule;
  const auto take_step = [&](const Tensor& x, const Step& step, int64_t index) -> StepResult {
    const auto noise = [&](const Tensor& like) { return diffusion::step_noise(hooks, like, 2 * index); };
    if (goes_up(step)) return {noised(schedule, x, step, noise(x)), x};
    const Tensor x_0 = denoise(x, step.t).x_0;
    const Tensor unknown = diffusion::ddim_step(schedule, step, {x, x_0}, walk.eta, noise);
    Tensor kept = known.x_0;
    if (step.t_prev >= 0) {
      const Tensor known_noise = diffusion::step_noise(hooks, x, 2 * index + 1);
      kept = schedule.signal(step.t_prev) * known.x_0 + schedule.noise(step.t_prev) * known_noise;
    }
    return {torch::where(known.repaint, unknown, kept), torch::where(known.repaint, x_0, known.x_0)};
  };
  return diffusion::run_steps(walk.steps, x_T, hooks, take_step);
}

}  // namespace unclip::manipulate
