#include "unclip/upsampler/key_map.h"

#include "unclip/nn/unet_key_map.h"

namespace unclip::upsampler {

io::KeyMap diffusers_key_map() { return {.rules = nn::diffusers_unet_rules("")}; }

}  // namespace unclip::upsampler
