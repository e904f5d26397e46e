// The stage "clip" of our own model directory.
#pragma once
#include "unclip/pipeline/clip_model.h"

namespace unclip::pipeline {

/// With the mean and standard deviation that the network's configuration names.
image::Preprocessing with_statistics(image::Preprocessing preprocessing, const clip::VisionConfig& vision);

/// Writes config.json, preprocessing.json and model.safetensors, making `folder`. `weights` have our names.
void write_own_stage(const ClipModel& model,
                     const io::NamedTensors& weights,
                     const std::filesystem::path& folder);

}  // namespace unclip::pipeline
