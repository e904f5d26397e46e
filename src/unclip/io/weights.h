// Weights in any of the files that models of this field are released as.
#pragma once
#include <filesystem>
#include <string>

#include "unclip/io/safetensors.h"

namespace unclip::io {

/// The tensors of a safetensors file, of an index of such files (*.index.json) with its shards, or of a
/// PyTorch archive (.bin, .pt, .ckpt, .th; torch_archive.h says under which names). The content counts, not
/// the file's name. Tensors lie on the mapped file, which lives as long as any of them; nothing is copied but
/// numbers that cross their natural boundary. No code of a file is ever run. Error(io) or Error(checkpoint)
/// names the file.
NamedTensors read_weights(const std::filesystem::path& file);

/// The file in `folder` that holds the weights called `stem` ("model", "diffusion_pytorch_model"):
/// safetensors before .bin ("model" is "pytorch_model" there), one file before an index, and full precision
/// before the fp16 variant, as the Python libraries choose. Error(io) that lists the names if there is none.
std::filesystem::path find_weights(const std::filesystem::path& folder, const std::string& stem);

}  // namespace unclip::io
