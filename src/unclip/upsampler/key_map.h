// An upsampler under the names of other libraries.
#pragma once
#include "unclip/io/key_map.h"
#include "unclip/upsampler/config.h"

namespace unclip::upsampler {

/// diffusers' UNet2DModel (Karlo's super-resolution).
io::KeyMap diffusers_key_map();

/// Kakao's own code has the net of the last step in the same file as that of the others.
enum class KakaoNet { first_steps, last_step };
io::KeyMap kakao_key_map(const UpsamplerConfig& config, KakaoNet net);

}  // namespace unclip::upsampler
