// The trained CLIP that prior and decoder learn from (unCLIP Fig. 2), also while it is still a run.
#pragma once
#include "unclip/pipeline/frozen_clip.h"

namespace unclip::train {

using pipeline::FrozenClip;

/// Reads a run of `train clip` (its averaged weights) or a model directory with a stage "clip".
FrozenClip load_frozen_clip(const std::filesystem::path& folder, torch::ScalarType compute_dtype);

/// Error(config) unless a width of a stage's configuration, `key`, is CLIP's.
void check_is_clips(const char* key, int64_t width, int64_t clips);

}  // namespace unclip::train
