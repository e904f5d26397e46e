// The configuration files of diffusers as our own configurations: every value is read, with
// the Python class's default where a key is missing; what this program cannot compute is refused by key.
#pragma once
#include "unclip/decoder/config.h"
#include "unclip/model/foreign_config.h"
#include "unclip/prior/config.h"
#include "unclip/upsampler/config.h"

namespace unclip::model::diffusers {

/// PriorTransformer, without its diffusion.
prior::DiffusionPriorConfig read_prior(ForeignConfig& config);
/// UNet2DConditionModel of Karlo's decoder: a ResBlock per layer, attention with added keys and values.
nn::UNetConfig read_conditional_unet(ForeignConfig& config);
/// UNet2DModel of Karlo's super-resolution: convolutions only.
nn::UNetConfig read_plain_unet(ForeignConfig& config);

/// UnCLIPScheduler: how its model is read, and how it draws with `steps` steps.
struct Scheduler {
  diffusion::DiffusionConfig diffusion;
  diffusion::SamplerConfig sampler;
};
Scheduler read_unclip_scheduler(ForeignConfig& config, int64_t steps);

}  // namespace unclip::model::diffusers
