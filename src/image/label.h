// Short labels under the tiles of a sheet.
#pragma once
#include <torch/types.h>

#include <string>

namespace unclip::image {

/// `tile` uint8 [H, W, 3 or 4] on white with `text` centred below it, in dark grey. The font has digits, a
/// few signs and the letters that figures need: 0–9 . , + - = % k n x θ η and space. Error(shape) for another
/// character.
torch::Tensor labelled(const torch::Tensor& tile, const std::string& text);

}  // namespace unclip::image
