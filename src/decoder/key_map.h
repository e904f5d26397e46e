// The decoder under diffusers' names: Karlo's UNet and its UnCLIPTextProjModel, whose tensors are given here
// with the prefixes "unet." and "text_proj.".
#pragma once
#include "unclip/io/key_map.h"

namespace unclip::decoder {

/// `image_tokens` and `context_width` are needed because Karlo stores its projection to image tokens
/// token-fastest.
io::KeyMap diffusers_key_map(int64_t image_tokens, int64_t context_width);

}  // namespace unclip::decoder
