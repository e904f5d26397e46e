// What a caller may ask of a drawing, and the plan it becomes with a model's own settings.
#pragma once
#include "unclip/model/model.h"

namespace unclip::pipeline {

/// Where the decoder's z_i comes from: one of the priors (unCLIP §2.2), z_t in its place, or nowhere (§5.1).
enum class PriorKind { diffusion, ar, text, none };

/// How pictures are drawn; what is absent stays as the model's configuration says.
struct SamplingOptions {
  PriorKind prior = PriorKind::diffusion;
  std::optional<double> prior_guidance, guidance;
  std::optional<std::string> prior_steps, steps;  // numbers or spacings, see diffusion::parse_timesteps
  std::vector<std::string> upsampler_steps;       // of the first, the second upsampler
  std::optional<diffusion::Sampler> prior_sampler, sampler, upsampler_sampler;
  std::optional<double> temperature, top_p;  // of the autoregressive prior
  std::optional<double> eta;                 // of ddim, in the decoder
  std::optional<int64_t> candidates;         // decoder pictures for each result
  std::optional<int64_t> size;               // 64 or an upsampler's size; by default default_size()
};

struct UpsamplingPlan {
  std::string stage;  // "upsampler_256"
  int64_t size = 0;
  diffusion::SamplerConfig sampler;
  int64_t batch = 1;          // pictures drawn at a time
  bool nets_in_turn = false;  // the net of the last step is loaded when the other one has gone
};

/// All settings of a drawing, checked before any work.
struct Plan {
  std::optional<prior::PriorSampling> prior;    // if z_i comes from the diffusion prior
  std::optional<prior::CodeSampling> ar_prior;  // if it comes from the autoregressive one
  decoder::DecoderSampling decoder;             // its candidates: of generate and vary
  std::vector<UpsamplingPlan> upsamplers;       // in turn, up to the drawing's size
  int64_t prior_batch = 1, decoder_batch = 1;   // captions and pictures at a time
};

/// Error(usage) for what this model cannot draw or what would have no effect, Error(checkpoint) if it lacks a
/// stage.
Plan make_plan(const model::Model& model, const SamplingOptions& sampling);
/// Error(io) if a stage of the plan has no weights: before the stages that come first have drawn for minutes.
void check_files(const model::Model& model, const Plan& plan);

/// Sizes that the model draws, ascending: 64, 256, …
std::vector<int64_t> sizes(const model::Model& model);
/// 256 if the model draws that, else its largest.
int64_t default_size(const model::Model& model);

}  // namespace unclip::pipeline

template <>
struct unclip::EnumNames<unclip::pipeline::PriorKind> {
  static constexpr std::array<std::pair<pipeline::PriorKind, std::string_view>, 4> value{
      {{pipeline::PriorKind::diffusion, "diffusion"},
       {pipeline::PriorKind::ar, "ar"},
       {pipeline::PriorKind::text, "text"},
       {pipeline::PriorKind::none, "none"}}};
};
