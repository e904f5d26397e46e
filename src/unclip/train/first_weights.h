// `--from`: a new run that starts from a trained network instead of random weights.
#pragma once
#include <torch/nn/module.h>

#include <filesystem>
#include <string>

namespace unclip::train {

/// Copies into `network` the averaged weights of a run, or those of a stage of a model directory. A
/// convolution that sees more channels than it was trained with gets zeros for the new, last ones, so that at
/// first they change nothing (as GLIDE's inpainting model, Nichol et al. 2022, §2.3). Error(checkpoint) for
/// anything else that does not fit.
void start_from(torch::nn::Module& network, const std::filesystem::path& folder, const std::string& stage);

}  // namespace unclip::train
