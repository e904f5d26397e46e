// How pictures become an image encoder's input, as our own layout stores it: preprocessing.json.
#pragma once
#include "unclip/clip/config.h"
#include "unclip/image/network.h"

namespace unclip::model {

/// preprocessing.json of a stage's folder, by default CLIP's own way; mean and standard deviation are those
/// of the network's configuration. Error(config) names a setting.
image::Preprocessing read_preprocessing(const std::filesystem::path& folder,
                                        const clip::VisionConfig& vision);
void write_preprocessing(const image::Preprocessing& preprocessing, const std::filesystem::path& folder);

}  // namespace unclip::model
