// What both priors draw z_i from.
#pragma once
#include "unclip/nn/text_encoding.h"

namespace unclip::prior {

struct PriorInput {
  nn::TextEncoding text;       // N captions
  nn::TextEncoding null_text;  // the empty caption, N = 1
};

}  // namespace unclip::prior
