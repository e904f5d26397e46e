// What is drawn at random in a training step, each from a stream of its own.
#pragma once
#include <torch/types.h>

#include <string_view>

#include "unclip/base/noise.h"

namespace unclip::train {

/// A stream of random numbers named `name` within the step's own.
NoiseKey sub_key(const NoiseKey& key, std::string_view name);

/// bool [N], true with probability `rate`.
torch::Tensor drop_mask(int64_t count, double rate, const NoiseKey& key);

}  // namespace unclip::train
