// Every sampler against the schedulers of diffusers, step by step in double precision.
#include <gtest/gtest.h>

#include "diffusion/fixture.h"
#include "support/close.h"
#include "unclip/diffusion/sampler.h"

namespace unclip::diffusion {
namespace {

using unclip::testing::to_integers;

struct Case {
  std::string name;
  ScheduleKind schedule;
  Parameterization parameterization = Parameterization::epsilon;
  std::optional<double> clamp;
  bool learn_sigma = false;
};

/// The recorded model: 0.3 x + 0.1 sin t, then 0.8 cos(2 x + t) as variance channels.
Network recorded_model(bool learn_sigma) {
  return [learn_sigma](const Tensor& x, int64_t t) {
    const auto time = static_cast<double>(t);
    const Tensor output = 0.3 * x + 0.1 * std::sin(time);
    return learn_sigma ? torch::cat({output, 0.8 * torch::cos(2.0 * x + time)}, 1) : output;
  };
}

class Replay {
 public:
  explicit Replay(Case test_case) : case_(std::move(test_case)), path_{NoiseSchedule(schedule_config()), {}} {
    const auto recorded = to_integers(tensor("steps"));
    for (size_t i = 0; i < recorded.size(); i += 2) path_.steps.push_back({recorded[i], recorded[i + 1]});
    hooks_.noise = [this](const Tensor&, int64_t index) { return tensor("noise")[index]; };
    hooks_.observer = [this](const StepReport& report) {
      EXPECT_CLOSE(report.x, tensor("prev_sample")[report.index], {1e-9, 1e-8})
          << case_.name << " " << report.index;
      ++observed_;
    };
  }
  ~Replay() { EXPECT_EQ(observed_, tensor("prev_sample").size(0)) << case_.name; }

  Tensor tensor(const std::string& key) const { return file_.tensor(case_.name + "." + key); }
  Denoiser denoiser() const {
    DiffusionConfig config;
    config.parameterization = case_.parameterization;
    config.learn_sigma = case_.learn_sigma;
    if (case_.clamp) config.threshold = {.kind = Threshold::clamp, .bound = *case_.clamp};
    return threshold(make_denoiser(path_.schedule, config, recorded_model(case_.learn_sigma)),
                     config.threshold);
  }
  /// diffusers' inverse walks up; ours is given the way down.
  Trajectory downwards() const {
    Trajectory down{path_.schedule, {}};
    for (auto step = path_.steps.rbegin(); step != path_.steps.rend(); ++step) {
      down.steps.push_back({.t = step->t_prev, .t_prev = step->t});
    }
    return down;
  }

  Case case_;
  Trajectory path_;
  SamplingHooks hooks_;

 private:
  ScheduleConfig schedule_config() const {
    ScheduleConfig config;
    config.kind = case_.schedule;
    return config;
  }
  io::SafetensorsFile file_ = unclip::testing::diffusion_fixture("samplers");
  int64_t observed_ = 0;
};

constexpr auto kCosine = ScheduleKind::cosine;
constexpr auto kLinear = ScheduleKind::linear;

TEST(SamplerParity, Ddim) {
  const std::vector<std::pair<Case, double>> cases{
      {{"ddim_cosine", kCosine, Parameterization::epsilon, {}}, 0.0},
      {{"ddim_cosine_eta", kCosine, Parameterization::epsilon, {}}, 0.5},
      {{"ddim_linear_eta1", kLinear, Parameterization::epsilon, {}}, 1.0},
      {{"ddim_linear_linspace", kLinear, Parameterization::epsilon, {}}, 0.0},
      {{"ddim_cosine_clipped", kCosine, Parameterization::epsilon, 1.0}, 0.0},
      {{"ddim_cosine_v", kCosine, Parameterization::v, {}}, 0.0},
      {{"ddim_cosine_sample", kCosine, Parameterization::x_0, {}}, 0.0}};
  for (const auto& [test_case, eta] : cases) {
    Replay replay(test_case);
    sample_ddim(replay.denoiser(), replay.tensor("sample"), replay.path_, {eta}, replay.hooks_);
  }
}

TEST(SamplerParity, DdimInversion) {
  for (const Case& test_case : {Case{"ddim_inverse_cosine", kCosine, Parameterization::epsilon, {}},
                                Case{"ddim_inverse_linear", kLinear, Parameterization::epsilon, {}}}) {
    Replay replay(test_case);
    invert_ddim(replay.denoiser(), replay.tensor("sample"), replay.downwards(), replay.hooks_);
  }
}

TEST(SamplerParity, Ddpm) {
  const std::vector<std::pair<Case, DdpmVariance>> cases{
      {{"unclip_prior", kCosine, Parameterization::x_0, 5.0}, DdpmVariance::fixed_small},
      {{"unclip_upsampler", kCosine, Parameterization::epsilon, 1.0}, DdpmVariance::fixed_small},
      {{"unclip_decoder", kCosine, Parameterization::epsilon, 1.0, true}, DdpmVariance::learned_range},
      {{"ddpm_fixed_small", kLinear, Parameterization::epsilon, {}}, DdpmVariance::fixed_small},
      {{"ddpm_fixed_large", kCosine, Parameterization::epsilon, {}}, DdpmVariance::fixed_large},
      {{"ddpm_learned_range", kCosine, Parameterization::epsilon, 1.0, true}, DdpmVariance::learned_range},
      {{"ddpm_uneven", kCosine, Parameterization::epsilon, {}}, DdpmVariance::fixed_small}};
  for (const auto& [test_case, variance] : cases) {
    Replay replay(test_case);
    sample_ddpm(replay.denoiser(), replay.tensor("sample"), replay.path_, {variance}, replay.hooks_);
  }
}

TEST(SamplerParity, DpmSolver) {
  for (const Case& test_case : {Case{"dpm_linear", kLinear, Parameterization::epsilon, {}},
                                Case{"dpm_linear_20", kLinear, Parameterization::epsilon, {}},
                                Case{"dpm_cosine", kCosine, Parameterization::epsilon, {}},
                                Case{"dpm_cosine_tail_cut", kCosine, Parameterization::epsilon, {}},
                                Case{"dpm_cosine_uneven", kCosine, Parameterization::epsilon, {}},
                                Case{"dpm_linear_sample", kLinear, Parameterization::x_0, {}}}) {
    Replay replay(test_case);
    sample_dpm_solver(replay.denoiser(), replay.tensor("sample"), replay.path_, replay.hooks_);
  }
}

TEST(SamplerParity, UniPc) {
  for (const Case& test_case : {Case{"unipc_linear", kLinear, Parameterization::epsilon, {}},
                                Case{"unipc_cosine", kCosine, Parameterization::epsilon, {}},
                                Case{"unipc_linear_ends_at_0", kLinear, Parameterization::epsilon, {}},
                                Case{"unipc_linear_sample", kLinear, Parameterization::x_0, {}}}) {
    Replay replay(test_case);
    sample_unipc(replay.denoiser(), replay.tensor("sample"), replay.path_, {}, replay.hooks_);
  }
}

TEST(SolvableTimesteps, StartWhereTheReferenceStarts) {
  const auto recorded =
      to_integers(unclip::testing::diffusion_fixture("samplers").tensor("dpm_cosine_tail_cut.steps"));
  EXPECT_EQ(solvable_timesteps(NoiseSchedule(ScheduleConfig{})), recorded.front() + 1);
  EXPECT_EQ(solvable_timesteps(NoiseSchedule(ScheduleConfig{})), 996);
}

}  // namespace
}  // namespace unclip::diffusion
