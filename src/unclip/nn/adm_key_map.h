// The ADM UNet under the names of its authors' code (Dhariwal & Nichol 2021), which Kakao's Karlo kept:
// blocks are numbered through all levels, q, k and v alternate head by head, and attention projects by
// convolutions of width 1.
#pragma once
#include "unclip/io/key_map.h"
#include "unclip/nn/unet_config.h"

namespace unclip::nn {

/// Rules for a UNet of this shape that lies at "unet." here and at `theirs` ("" or ending in a dot) there.
std::vector<io::KeyRule> adm_unet_rules(const UNetConfig& config, const std::string& theirs);

}  // namespace unclip::nn
