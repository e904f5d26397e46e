// The weights of a folder, in whichever of the usual files they lie.
#pragma once
#include <filesystem>
#include <string>

#include "unclip/io/safetensors.h"

namespace unclip::io {

/// The tensors of a weights file, told by its content.
NamedTensors read_weights(const std::filesystem::path& file);

/// FOLDER/STEM.safetensors or the first variant of it (STEM.fp16.safetensors). Error(io) that names what was
/// looked for if there is none.
std::filesystem::path find_weights(const std::filesystem::path& folder, const std::string& stem);

}  // namespace unclip::io
