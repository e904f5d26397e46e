// `--from`: a new run that starts from a trained network instead of random weights.
#pragma once
#include <torch/nn/module.h>

#include <string>

#include "unclip/model/model.h"

namespace unclip::train {

/// Copies into `network` the weights of a stage of a model or run (trained_model.h). A
/// convolution that sees more channels than it was trained with gets zeros for the new, last ones, so that at
/// first they change nothing (as GLIDE's inpainting model, Nichol et al. 2022, §2.3). Error(checkpoint) for
/// anything else that does not fit.
void start_from(torch::nn::Module& network, const model::Model& source, const std::string& stage);

}  // namespace unclip::train
