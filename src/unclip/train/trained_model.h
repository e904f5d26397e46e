// What training starts from or learns from: a model of any layout, or a run that may still be going on.
#pragma once
#include <filesystem>
#include <optional>

#include "unclip/pipeline/clip_encoder.h"

namespace unclip::train {

/// The description of a model in any layout (model/model.h), or of what a run has trained so far: the
/// averaged weights of its newest checkpoint. Error(io) if `folder` is neither, or a run without checkpoints.
model::Model open_trained(const std::filesystem::path& folder, const std::filesystem::path& vocabulary = {});

/// The frozen CLIP of a model or of a run of `train clip`, which prior and decoder learn from (unCLIP
/// Fig. 2).
pipeline::ClipEncoder open_clip_encoder(const std::filesystem::path& folder,
                                        const std::filesystem::path& vocabulary,
                                        torch::ScalarType compute_dtype);

/// The shape of a model's CLIP, also of one that stores its towers apart; nothing if a tower is missing.
std::optional<clip::ClipConfig> clip_config_of(const model::Model& model);

/// Error(config) unless a width of a stage's configuration, `key`, is CLIP's.
void check_is_clips(const char* key, int64_t width, int64_t clips);

}  // namespace unclip::train
