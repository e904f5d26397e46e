// The ADM UNet under the names that diffusers gives it (UNet2DConditionModel and UNet2DModel with resnet up-
// and downsampling).
#pragma once
#include "unclip/io/key_map.h"

namespace unclip::nn {

/// Rules for a UNet that lies at "unet." here and at `theirs` ("" or ending in a dot) there.
std::vector<io::KeyRule> diffusers_unet_rules(const std::string& theirs);

}  // namespace unclip::nn
