// CLIP under the names of other libraries.
#pragma once
#include "unclip/io/key_map.h"

namespace unclip::clip {

/// Hugging Face's CLIPModel.
io::KeyMap hugging_face_key_map();

}  // namespace unclip::clip
