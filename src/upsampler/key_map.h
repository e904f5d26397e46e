// An upsampler under the names of diffusers' UNet2DModel (Karlo's super-resolution).
#pragma once
#include "unclip/io/key_map.h"

namespace unclip::upsampler {

io::KeyMap diffusers_key_map();

}  // namespace unclip::upsampler
