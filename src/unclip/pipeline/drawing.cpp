#include "unclip/pipeline/drawing.h"

#include <algorithm>

namespace unclip::pipeline {
namespace {

struct SamplerChoice {
  std::optional<std::string> steps;
  std::optional<diffusion::Sampler> kind;
};

/// A plain number of steps in the model's own spacing.
std::string spaced(const DrawingRules& rules, const std::string& steps) {
  const bool is_number = steps.find_first_not_of("0123456789") == std::string::npos;
  return is_number ? rules.step_spacing + steps : steps;
}

/// A stage's own settings, into which the caller's choice goes.
struct StageSettings {
  const char* name;
  const diffusion::SamplerConfig& sampler;
  const diffusion::ScheduleConfig& schedule;
};

/// The stage's sampler with the caller's choice, which must fit its schedule.
diffusion::SamplerConfig chosen(const DrawingRules& rules,
                                const StageSettings& stage,
                                const SamplerChoice& choice) {
  diffusion::SamplerConfig sampler = stage.sampler;
  if (choice.steps) sampler.timesteps = spaced(rules, *choice.steps);
  if (choice.kind) sampler.kind = *choice.kind;
  try {
    diffusion::trajectory(sampler, diffusion::NoiseSchedule(stage.schedule));
  } catch (const Error& error) {
    const bool asked = choice.steps || choice.kind;
    fail(asked ? ErrorKind::usage : ErrorKind::config, "the ", stage.name, "'s steps: ", error.what());
  }
  return sampler;
}

void check_size(const Model& model, int64_t size) {
  const auto known = sizes(model);
  std::string names;
  for (const int64_t one : known) names += (names.empty() ? "" : ", ") + std::to_string(one);
  check(std::ranges::find(known, size) != known.end(), ErrorKind::usage, "this model draws pictures of ",
        names, " pixels a side, not ", size);
}

/// Error(usage) for settings of a prior that is not asked.
void check_prior_settings(const Drawing& drawing) {
  const bool diffusion = drawing.prior == PriorKind::diffusion, ar = drawing.prior == PriorKind::ar;
  const auto check_absent = [&](bool given, const char* what) {
    check(!given, ErrorKind::usage, what, " have no effect when the prior is '", enum_name(drawing.prior),
          "': leave them out");
  };
  check_absent(!diffusion && !ar && drawing.prior_guidance, "settings of the prior");
  check_absent(!diffusion && (drawing.prior_steps || drawing.prior_sampler),
               "steps and samplers of the prior");
  check_absent(!ar && (drawing.temperature || drawing.top_p), "temperature and top-p");
}

void plan_ar_prior(const Model& model, const Drawing& drawing, Plan& plan) {
  const auto& config = required(model, model.ar_prior, "ar_prior").config;
  plan.ar_prior = config.sampling;
  plan.ar_prior->guidance = drawing.prior_guidance.value_or(config.sampling.guidance);
  plan.ar_prior->temperature = drawing.temperature.value_or(config.sampling.temperature);
  plan.ar_prior->top_p = drawing.top_p.value_or(config.sampling.top_p);
}

void plan_prior(const Model& model, const Drawing& drawing, Plan& plan) {
  check_prior_settings(drawing);
  if (drawing.prior == PriorKind::ar) plan_ar_prior(model, drawing, plan);
  if (drawing.prior != PriorKind::diffusion) return;
  const auto& config = required(model, model.prior, "prior").config;
  plan.prior = config.sampling;
  plan.prior->sampler = chosen(model.rules, {"prior", config.sampling.sampler, config.diffusion.schedule},
                               {drawing.prior_steps, drawing.prior_sampler});
  plan.prior->guidance = drawing.prior_guidance.value_or(config.sampling.guidance);
}

void plan_decoder(const Model& model, const Drawing& drawing, Plan& plan) {
  const auto& config = required(model, model.decoder, "decoder").config;
  plan.decoder.sampler = chosen(model.rules, {"decoder", config.sampling.sampler, config.diffusion.schedule},
                                {drawing.steps, drawing.sampler});
  plan.decoder.guidance = drawing.guidance.value_or(config.sampling.guidance);
  plan.decoder.candidates = drawing.candidates.value_or(config.sampling.candidates);
  if (plan.decoder.candidates > 1) required(model, model.image_encoder, "image_encoder");
  if (!drawing.eta) return;
  diffusion::SamplerConfig& sampler = plan.decoder.sampler;
  check(sampler.kind == diffusion::Sampler::ddim, ErrorKind::usage,
        "eta is a setting of the ddim sampler, but ", enum_name(sampler.kind), " draws: ask for ddim too");
  sampler.eta = *drawing.eta;
}

void plan_upsamplers(const Model& model, const Drawing& drawing, int64_t size, Plan& plan) {
  check(drawing.upsampler_steps.size() <= model.upsamplers.size(), ErrorKind::usage, "steps of ",
        drawing.upsampler_steps.size(), " upsamplers were given, but the model has ",
        model.upsamplers.size());
  for (const UpsamplerStage& stage : model.upsamplers) {
    const auto& config = stage.net.config;
    const size_t index = plan.upsamplers.size();
    if (config.unet.size > size) return;
    SamplerChoice choice{.steps = std::nullopt, .kind = drawing.upsampler_sampler};
    if (index < drawing.upsampler_steps.size()) choice.steps = drawing.upsampler_steps[index];
    plan.upsamplers.push_back(
        {stage.name, config.unet.size,
         chosen(model.rules, {"upsampler", config.sampler, config.diffusion.schedule}, choice)});
  }
}

void check_files_of(const Weights& weights) {
  for (const WeightsSource& source : weights.sources) file_of(source);
}

/// Guidance that Karlo turns on and off for prior and decoder together.
void share_guidance(Plan& plan) {
  const double prior = plan.prior ? plan.prior->guidance : 1.0;
  if (std::max(prior, plan.decoder.guidance) > 1.0) return;
  plan.decoder.guidance = 1.0;
  if (plan.prior) plan.prior->guidance = 1.0;
}

}  // namespace

std::vector<int64_t> sizes(const Model& model) {
  std::vector<int64_t> result{required(model, model.decoder, "decoder").config.unet.size};
  for (const UpsamplerStage& stage : model.upsamplers) result.push_back(stage.net.config.unet.size);
  return result;
}

int64_t default_size(const Model& model) {
  constexpr int64_t kUsual = 256;
  const auto known = sizes(model);
  return std::ranges::find(known, kUsual) != known.end() ? kUsual : known.back();
}

Plan make_plan(const Model& model, const Drawing& drawing) {
  const int64_t size = drawing.size.value_or(default_size(model));
  check_size(model, size);
  Plan plan;
  plan_prior(model, drawing, plan);
  plan_decoder(model, drawing, plan);
  plan_upsamplers(model, drawing, size, plan);
  if (model.rules.shared_guidance) share_guidance(plan);
  return plan;
}

void check_files(const Model& model, const Plan& plan) {
  if (plan.prior) check_files_of(required(model, model.prior, "prior").weights);
  if (plan.ar_prior) check_files_of(required(model, model.ar_prior, "ar_prior").weights);
  check_files_of(required(model, model.decoder, "decoder").weights);
  for (const UpsamplingPlan& step : plan.upsamplers) {
    const UpsamplerStage& upsampler = model.upsampler(step.stage);
    check_files_of(upsampler.net.weights);
    if (upsampler.last_step) check_files_of(upsampler.last_step->weights);
  }
}

}  // namespace unclip::pipeline
