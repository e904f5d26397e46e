// Short texts as pictures: labels under the tiles of a sheet.
#pragma once
#include <torch/types.h>

#include <string>

namespace unclip::image {

/// Dark grey on white, one dot a pixel: uint8 [5, 4 n − 1] for n characters. The font has small letters,
/// digits and what figures need: a–z 0–9 . , + - = % θ η and space. Error(shape) for another character.
torch::Tensor printed(const std::string& text);

/// `tile` uint8 [H, W, 3 or 4] on white with `text` centred below it, see `printed`.
torch::Tensor labelled(const torch::Tensor& tile, const std::string& text);

}  // namespace unclip::image
