// The diffusion prior under the names of diffusers' PriorTransformer (Karlo, Kandinsky).
#pragma once
#include "unclip/io/key_map.h"

namespace unclip::prior {

io::KeyMap diffusers_key_map();

}  // namespace unclip::prior
