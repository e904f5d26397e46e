// CLIP under the names of other libraries.
#pragma once
#include "unclip/clip/config.h"
#include "unclip/io/key_map.h"

namespace unclip::clip {

/// Hugging Face's CLIPModel; CLIPTextModelWithProjection and CLIPVisionModelWithProjection have one tower's
/// part.
io::KeyMap hugging_face_key_map();
/// OpenAI's and OpenCLIP's CLIP: projections are transposed, q, k and v are one matrix.
io::KeyMap openai_key_map();
/// The same for one tower of a file that holds both: the tensors of the other one, and the logit scale, are
/// passed over. A map without rules is one between equal names.
io::KeyMap one_tower(io::KeyMap map, Towers tower);

/// The shape of a model, read off its tensors under our names, for files that come without a configuration.
/// What tensors cannot tell is as in OpenAI's models: heads of one width, QuickGELU. Error(checkpoint)
/// beginning with `where` if tensors are missing or contradict each other.
ClipConfig shape_of(const io::NamedTensors& ours, const std::string& where, int64_t head_width = 64);

}  // namespace unclip::clip
