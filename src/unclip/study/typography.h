// Typographic attacks (unCLIP §4, Fig. 6): a picture with words of something else pasted on it.
#pragma once
#include <torch/types.h>

#include <string>

namespace unclip::study {

/// What a caption names, in letters that can be printed: up to the first comma, small letters, digits and
/// single spaces, without "a" or "the" in front.
std::string words_of(const std::string& caption);

/// `pixels` uint8 [H, W, 3] with a white band across the lower half that says `words` in at most two lines,
/// as large as a fourth of the picture; what does not fit is cut.
torch::Tensor with_words(const torch::Tensor& pixels, const std::string& words);

}  // namespace unclip::study
