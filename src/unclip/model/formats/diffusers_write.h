// Our configurations of Karlo's parts as the configuration files of diffusers: the inverse of
// diffusers_configs.h. Each gives the text of a JSON file.
#pragma once
#include <string>

#include "unclip/decoder/config.h"
#include "unclip/prior/config.h"
#include "unclip/upsampler/config.h"

namespace unclip::model::diffusers {

std::string write_prior(const prior::DiffusionPriorConfig& config);
/// UNet2DConditionModel of Karlo's decoder.
std::string write_conditional_unet(const nn::UNetConfig& unet);
/// UNet2DModel of Karlo's super-resolution.
std::string write_plain_unet(const nn::UNetConfig& unet);
/// UnCLIPTextProjModel.
std::string write_text_projection(const decoder::DecoderConfig& config);
std::string write_unclip_scheduler(const diffusion::DiffusionConfig& diffusion);

}  // namespace unclip::model::diffusers
