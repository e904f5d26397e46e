// The stage "clip" of our own model directory.
#pragma once
#include "unclip/pipeline/clip_model.h"

namespace unclip::pipeline {

/// With the mean and standard deviation that the network's configuration names.
image::Preprocessing with_statistics(image::Preprocessing preprocessing, const clip::VisionConfig& vision);

/// preprocessing.json of a stage's folder, by default CLIP's own way. Error(config) names a setting.
image::Preprocessing read_preprocessing(const std::filesystem::path& folder,
                                        const clip::VisionConfig& vision);
void write_preprocessing(const image::Preprocessing& preprocessing, const std::filesystem::path& folder);

/// Writes config.json, preprocessing.json and model.safetensors, making `folder`. `weights` have our names.
void write_own_stage(const ClipModel& model,
                     const io::NamedTensors& weights,
                     const std::filesystem::path& folder);

}  // namespace unclip::pipeline
