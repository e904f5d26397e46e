#include "unclip/pipeline/drawing.h"

#include <algorithm>

#include "unclip/upsampler/upsampler.h"

namespace unclip::pipeline {
namespace {

struct SamplerChoice {
  std::optional<std::string> steps;
  std::optional<diffusion::Sampler> kind;
};

/// `sampler` with the caller's choice, which must fit the stage's schedule.
diffusion::SamplerConfig chosen(const char* stage,
                                diffusion::SamplerConfig sampler,
                                const diffusion::ScheduleConfig& schedule,
                                const SamplerChoice& choice) {
  if (choice.steps) sampler.timesteps = *choice.steps;
  if (choice.kind) sampler.kind = *choice.kind;
  try {
    diffusion::trajectory(sampler, diffusion::NoiseSchedule(schedule));
  } catch (const Error& error) {
    const bool asked = choice.steps || choice.kind;
    fail(asked ? ErrorKind::usage : ErrorKind::config, "the ", stage, "'s steps: ", error.what());
  }
  return sampler;
}

void check_size(const ModelDirectory& directory, int64_t size) {
  const auto known = sizes(directory);
  std::string names;
  for (const int64_t one : known) names += (names.empty() ? "" : ", ") + std::to_string(one);
  check(std::ranges::find(known, size) != known.end(), ErrorKind::usage, "this model draws pictures of ",
        names, " pixels a side, not ", size);
}

void plan_prior(const ModelDirectory& directory, const Drawing& drawing, Plan& plan) {
  if (drawing.prior != PriorKind::diffusion) {
    check(!drawing.prior_guidance && !drawing.prior_steps && !drawing.prior_sampler, ErrorKind::usage,
          "settings of the prior have no effect when the prior is '", enum_name(drawing.prior),
          "': leave them out");
    return;
  }
  const auto config = read_stage_config<prior::DiffusionPriorConfig>(directory.stage("prior"));
  plan.prior = config.sampling;
  plan.prior->sampler = chosen("prior", config.sampling.sampler, config.diffusion.schedule,
                               {drawing.prior_steps, drawing.prior_sampler});
  plan.prior->guidance = drawing.prior_guidance.value_or(config.sampling.guidance);
}

void plan_decoder(const ModelDirectory& directory, const Drawing& drawing, Plan& plan) {
  const auto config = read_stage_config<decoder::DecoderConfig>(directory.stage("decoder"));
  plan.decoder.sampler =
      chosen("decoder", config.sampling.sampler, config.diffusion.schedule, {drawing.steps, drawing.sampler});
  plan.decoder.guidance = drawing.guidance.value_or(config.sampling.guidance);
  if (!drawing.eta) return;
  diffusion::SamplerConfig& sampler = plan.decoder.sampler;
  check(sampler.kind == diffusion::Sampler::ddim, ErrorKind::usage,
        "eta is a setting of the ddim sampler, but ", enum_name(sampler.kind), " draws: ask for ddim too");
  sampler.eta = *drawing.eta;
}

void plan_upsamplers(const ModelDirectory& directory, const Drawing& drawing, Plan& plan) {
  const auto stages = upsampling_stages(directory);
  check(drawing.upsampler_steps.size() <= stages.size(), ErrorKind::usage, "steps of ",
        drawing.upsampler_steps.size(), " upsamplers were given, but the model has ", stages.size());
  for (const auto& [size, stage] : stages) {
    if (size > drawing.size) return;
    const auto config = read_stage_config<upsampler::UpsamplerConfig>(directory.stage(stage));
    SamplerChoice choice{.steps = std::nullopt, .kind = drawing.upsampler_sampler};
    const size_t index = plan.upsamplers.size();
    if (index < drawing.upsampler_steps.size()) choice.steps = drawing.upsampler_steps[index];
    plan.upsamplers.push_back(
        {stage, size, chosen("upsampler", config.sampler, config.diffusion.schedule, choice)});
  }
}

}  // namespace

std::map<int64_t, std::string> upsampling_stages(const ModelDirectory& directory) {
  std::map<int64_t, std::string> result;
  for (const auto& [stage, folder] : directory.manifest().stages) {
    if (!stage.starts_with("upsampler_")) continue;
    result[read_stage_config<upsampler::UpsamplerConfig>(directory.path() / folder).unet.size] = stage;
  }
  return result;
}

std::vector<int64_t> sizes(const ModelDirectory& directory) {
  std::vector<int64_t> result{
      read_stage_config<decoder::DecoderConfig>(directory.stage("decoder")).unet.size};
  for (const auto& [size, stage] : upsampling_stages(directory)) result.push_back(size);
  return result;
}

Plan make_plan(const ModelDirectory& directory, const Drawing& drawing) {
  check_size(directory, drawing.size);
  Plan plan;
  plan_prior(directory, drawing, plan);
  plan_decoder(directory, drawing, plan);
  plan_upsamplers(directory, drawing, plan);
  return plan;
}

}  // namespace unclip::pipeline
