#include "unclip/diffusion/samplers/unipc.h"

#include <ATen/ops/linalg_solve.h>

#include <algorithm>
#include <cmath>
#include <deque>

#include "unclip/base/error.h"

namespace unclip::diffusion {
namespace {

struct Evaluation {
  Tensor x_0;
  double lambda;
};

/// One step's linear algebra: from λ_0 (the newest evaluation) over h, with `order` − 1 older evaluations.
class UniStep {
 public:
  UniStep(const NoiseSchedule& schedule,
          const Step& step,
          const std::deque<Evaluation>& history,
          const UniPcOptions& options)
      : h_(schedule.lambda(step.t_prev) - schedule.lambda(step.t)),
        b_h_(options.variant == UniPcVariant::bh1 ? -h_ : std::expm1(-h_)),
        signal_(schedule.signal(step.t_prev)),
        x_scale_(schedule.noise(step.t_prev) / schedule.noise(step.t)),
        m_0_(history[0].x_0) {
    for (size_t k = 1; k < static_cast<size_t>(options.order); ++k) {
      r_.push_back((history[k].lambda - history[0].lambda) / h_);
      differences_.push_back((history[k].x_0 - m_0_) / r_.back());
    }
  }

  Tensor predict(const Tensor& x) const {  // Eq. 9
    if (r_.empty()) return base(x);        // a step to x_0 ends here: its h is infinite
    return base(x) - signal_ * b_h_ * combination(r_.size() == 1 ? std::vector{0.5} : solve(r_));
  }

  Tensor correct(const Tensor& x, const Tensor& m_t) const {  // Eq. 5, with the evaluation at the step's end
    std::vector<double> r = r_;
    r.push_back(1.0);
    const std::vector<double> rho = r.size() == 1 ? std::vector{0.5} : solve(r);
    return base(x) - signal_ * b_h_ * (combination(rho) + rho.back() * (m_t - m_0_));
  }

 private:
  Tensor base(const Tensor& x) const { return x_scale_ * x - signal_ * std::expm1(-h_) * m_0_; }

  Tensor combination(const std::vector<double>& rho) const {
    Tensor sum = torch::zeros_like(m_0_);
    for (size_t k = 0; k < differences_.size(); ++k) sum = sum + rho[k] * differences_[k];
    return sum;
  }

  // Σ_k ρ_k r_k^{i−1} = i! φ_{i+1}(−h) (−h) / B(h), i = 1 … size: the conditions of order.
  std::vector<double> solve(const std::vector<double>& r) const {
    const auto size = static_cast<int64_t>(r.size());
    const Tensor powers = torch::zeros({size, size}, torch::kFloat64),
                 right = torch::zeros({size}, torch::kFloat64);
    double phi = std::expm1(-h_) / -h_ - 1.0, factorial = 1.0;
    for (int64_t i = 0; i < size; ++i) {
      for (int64_t k = 0; k < size; ++k) powers[i][k] = std::pow(r[static_cast<size_t>(k)], i);
      right[i] = phi * factorial / b_h_;
      factorial *= static_cast<double>(i + 2);
      phi = phi / -h_ - 1.0 / factorial;
    }
    const Tensor rho = at::linalg_solve(powers, right);
    return {rho.data_ptr<double>(), rho.data_ptr<double>() + size};
  }

  double h_, b_h_, signal_, x_scale_;
  Tensor m_0_;
  std::vector<double> r_;
  std::vector<Tensor> differences_;
};

}  // namespace

Tensor sample_unipc(const Denoiser& denoise,
                    const Tensor& x_T,
                    const Trajectory& trajectory,
                    const UniPcOptions& options,
                    const SamplingHooks& hooks) {
  check(options.order >= 1 && options.order <= 3, ErrorKind::config, "the order of UniPC is ", options.order,
        ", expected 1, 2 or 3");
  const auto count = static_cast<int64_t>(trajectory.steps.size());
  std::deque<Evaluation> history;  // newest first
  std::optional<UniStep> step_before;
  Tensor x_before;  // where that step left from
  return run_steps(
      trajectory, x_T, hooks, [&](const Tensor& predicted, const Step& step, int64_t index) -> StepResult {
        const Tensor x_0 = denoise(predicted, step.t).x_0;
        const Tensor x = step_before ? step_before->correct(x_before, x_0) : predicted;
        history.push_front({x_0, trajectory.schedule.lambda(step.t)});
        history.resize(std::min<size_t>(history.size(), 3));
        const int64_t order = std::min({options.order, index + 1, count - index});
        step_before.emplace(trajectory.schedule, step, history, UniPcOptions{order, options.variant});
        x_before = x;
        return {step_before->predict(x), x_0};
      });
}

}  // namespace unclip::diffusion
