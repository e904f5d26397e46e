// The decoder under the names of other libraries.
#pragma once
#include "unclip/decoder/config.h"
#include "unclip/io/key_map.h"

namespace unclip::decoder {

/// diffusers' of Karlo: its UNet and its UnCLIPTextProjModel, whose tensors are given here with the prefixes
/// "unet." and "text_proj.". `image_tokens` and `context_width` are needed because Karlo stores its
/// projection to image tokens token-fastest.
io::KeyMap diffusers_key_map(int64_t image_tokens, int64_t context_width);
/// Kakao's own code, in one file.
io::KeyMap kakao_key_map(const DecoderConfig& config);

}  // namespace unclip::decoder
