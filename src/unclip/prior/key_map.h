// The diffusion prior under the names of other libraries.
#pragma once
#include "unclip/io/key_map.h"

namespace unclip::prior {

/// diffusers' PriorTransformer (Karlo, Kandinsky).
io::KeyMap diffusers_key_map();
/// Kakao's own code: q, k and v of each head in turn, CLIP's statistics ("stats.0", "stats.1") in another
/// file.
io::KeyMap kakao_key_map(int64_t heads);

}  // namespace unclip::prior
