// Held-out pictures for evaluation during training, in the data set's order.
#pragma once
#include <torch/types.h>

#include <string>
#include <vector>

#include "unclip/data/dataset.h"

namespace unclip::train {

struct HeldOut {
  torch::Tensor pictures;             // [N, 3, size, size] in −1…1
  std::vector<std::string> captions;  // each picture's first
};

/// Samples first..last-1 as squares of `size` pixels. Error(data) if one of them is damaged.
HeldOut load_held_out(const data::Dataset& dataset, int64_t first, int64_t last, int64_t size);

/// uint8 [N, 3, H, W] -> float32 in −1…1.
torch::Tensor to_unit_range(const torch::Tensor& pictures);

}  // namespace unclip::train
