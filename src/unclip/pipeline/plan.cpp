#include "unclip/pipeline/plan.h"

#include <algorithm>

#include "unclip/model/weights.h"
#include "unclip/pipeline/batches.h"

namespace unclip::pipeline {
namespace {

constexpr int64_t kBatchPixels = 1 << 18;  // of the upsamplers: four pictures of 256²

struct SamplerChoice {
  std::optional<std::string> steps;
  std::optional<diffusion::Sampler> kind;
};

/// A plain number of steps in the model's own spacing.
std::string spaced(const model::SamplingRules& rules, const std::string& steps) {
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
diffusion::SamplerConfig chosen(const model::SamplingRules& rules,
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

void check_size(const model::Model& model, int64_t size) {
  const auto known = sizes(model);
  std::string names;
  for (const int64_t one : known) names += (names.empty() ? "" : ", ") + std::to_string(one);
  check(std::ranges::find(known, size) != known.end(), ErrorKind::usage, "this model draws pictures of ",
        names, " pixels a side, not ", size);
}

/// Error(usage) for settings of a prior that is not asked.
void check_prior_settings(const SamplingOptions& sampling) {
  const bool diffusion = sampling.prior == PriorKind::diffusion, ar = sampling.prior == PriorKind::ar;
  const auto check_absent = [&](bool given, const char* what) {
    check(!given, ErrorKind::usage, what, " have no effect when the prior is '", enum_name(sampling.prior),
          "': leave them out");
  };
  check_absent(!diffusion && !ar && sampling.prior_guidance, "settings of the prior");
  check_absent(!diffusion && (sampling.prior_steps || sampling.prior_sampler),
               "steps and samplers of the prior");
  check_absent(!ar && (sampling.temperature || sampling.top_p), "temperature and top-p");
}

void plan_ar_prior(const model::Model& model, const SamplingOptions& sampling, Plan& plan) {
  const auto& config = model::required(model, model.ar_prior, "ar_prior").config;
  plan.ar_prior = config.sampling;
  plan.ar_prior->guidance = sampling.prior_guidance.value_or(config.sampling.guidance);
  plan.ar_prior->temperature = sampling.temperature.value_or(config.sampling.temperature);
  plan.ar_prior->top_p = sampling.top_p.value_or(config.sampling.top_p);
}

void plan_prior(const model::Model& model, const SamplingOptions& sampling, Plan& plan) {
  check_prior_settings(sampling);
  if (sampling.prior == PriorKind::ar) plan_ar_prior(model, sampling, plan);
  if (sampling.prior != PriorKind::diffusion) return;
  const auto& config = model::required(model, model.prior, "prior").config;
  plan.prior = config.sampling;
  plan.prior->sampler = chosen(model.rules, {"prior", config.sampling.sampler, config.diffusion.schedule},
                               {sampling.prior_steps, sampling.prior_sampler});
  plan.prior->guidance = sampling.prior_guidance.value_or(config.sampling.guidance);
}

void plan_decoder(const model::Model& model, const SamplingOptions& sampling, Plan& plan) {
  const auto& config = model::required(model, model.decoder, "decoder").config;
  plan.decoder.sampler = chosen(model.rules, {"decoder", config.sampling.sampler, config.diffusion.schedule},
                                {sampling.steps, sampling.sampler});
  plan.decoder.guidance = sampling.guidance.value_or(config.sampling.guidance);
  plan.decoder.candidates = sampling.candidates.value_or(config.sampling.candidates);
  if (plan.decoder.candidates > 1) model::required(model, model.image_encoder, "image_encoder");
  if (!sampling.eta) return;
  diffusion::SamplerConfig& sampler = plan.decoder.sampler;
  check(sampler.kind == diffusion::Sampler::ddim, ErrorKind::usage,
        "eta is a setting of the ddim sampler, but ", enum_name(sampler.kind), " draws: ask for ddim too");
  sampler.eta = *sampling.eta;
}

void plan_upsamplers(const model::Model& model, const SamplingOptions& sampling, int64_t size, Plan& plan) {
  check(sampling.upsampler_steps.size() <= model.upsamplers.size(), ErrorKind::usage, "steps of ",
        sampling.upsampler_steps.size(), " upsamplers were given, but the model has ",
        model.upsamplers.size());
  for (const model::StoredUpsampler& stage : model.upsamplers) {
    const auto& config = stage.net.config;
    const size_t index = plan.upsamplers.size();
    if (config.unet.size > size) return;
    SamplerChoice choice{.steps = std::nullopt, .kind = sampling.upsampler_sampler};
    if (index < sampling.upsampler_steps.size()) choice.steps = sampling.upsampler_steps[index];
    plan.upsamplers.push_back(
        {stage.name, config.unet.size,
         chosen(model.rules, {"upsampler", config.sampler, config.diffusion.schedule}, choice),
         std::max<int64_t>(1, kBatchPixels / (config.unet.size * config.unet.size))});
  }
}

void check_files_of(const model::Weights& weights) {
  for (const model::WeightsSource& source : weights.sources) model::file_of(source);
}

/// Guidance that Karlo turns on and off for prior and decoder together.
void share_guidance(Plan& plan) {
  const double prior = plan.prior ? plan.prior->guidance : 1.0;
  if (std::max(prior, plan.decoder.guidance) > 1.0) return;
  plan.decoder.guidance = 1.0;
  if (plan.prior) plan.prior->guidance = 1.0;
}

}  // namespace

std::vector<int64_t> sizes(const model::Model& model) {
  std::vector<int64_t> result{model::required(model, model.decoder, "decoder").config.unet.size};
  for (const model::StoredUpsampler& stage : model.upsamplers) result.push_back(stage.net.config.unet.size);
  return result;
}

int64_t default_size(const model::Model& model) {
  constexpr int64_t kUsual = 256;
  const auto known = sizes(model);
  return std::ranges::find(known, kUsual) != known.end() ? kUsual : known.back();
}

Plan make_plan(const model::Model& model, const SamplingOptions& sampling) {
  const int64_t size = sampling.size.value_or(default_size(model));
  check_size(model, size);
  Plan plan{.prior_batch = kBatch, .decoder_batch = kBatch};
  plan_prior(model, sampling, plan);
  plan_decoder(model, sampling, plan);
  plan_upsamplers(model, sampling, size, plan);
  if (model.rules.shared_guidance) share_guidance(plan);
  return plan;
}

void check_files(const model::Model& model, const Plan& plan) {
  if (plan.prior) check_files_of(model::required(model, model.prior, "prior").weights);
  if (plan.ar_prior) check_files_of(model::required(model, model.ar_prior, "ar_prior").weights);
  check_files_of(model::required(model, model.decoder, "decoder").weights);
  for (const UpsamplingPlan& step : plan.upsamplers) {
    const model::StoredUpsampler& upsampler = model.upsampler(step.stage);
    check_files_of(upsampler.net.weights);
    if (upsampler.last_step) check_files_of(upsampler.last_step->weights);
  }
}

}  // namespace unclip::pipeline
