// CLIP under the names of other libraries.
#pragma once
#include "unclip/clip/config.h"
#include "unclip/io/key_map.h"

namespace unclip::clip {

/// Hugging Face's CLIPModel; CLIPTextModelWithProjection and CLIPVisionModelWithProjection have one tower's
/// part.
io::KeyMap hugging_face_key_map();
/// OpenAI's and OpenCLIP's CLIP: projections are transposed, q, k and v are one matrix. With one tower the
/// tensors of the other one are passed over.
io::KeyMap openai_key_map(Towers towers = Towers::both);

/// The shape of a model, read off its tensors under our names, for files that come without a configuration.
/// What tensors cannot tell is as in OpenAI's models: heads of one width, QuickGELU. Error(checkpoint)
/// beginning with `where` if tensors are missing or contradict each other.
ClipConfig shape_of(const io::NamedTensors& ours, const std::string& where, int64_t head_width = 64);

}  // namespace unclip::clip
