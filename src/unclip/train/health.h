// What healthy figures of a stage are, and what to do outside of them.
#pragma once
#include <string>
#include <vector>

#include "unclip/train/stage.h"

namespace unclip::train {

struct Verdict {
  bool healthy = true;
  std::string text;  // "text_to_image_r10 0.62 (healthy: above 0.2)", with advice if it is not
};

/// One verdict for each figure of `stage` ("clip", "prior", "decoder", "upsampler") that a person should
/// watch. `progress` in 0…1 is how far the run is: nothing is called ill in its first quarter. `held_out` is
/// the number of pictures that retrieval chooses from.
std::vector<Verdict> judge(const std::string& stage,
                           const Metrics& metrics,
                           double progress,
                           int64_t held_out);

}  // namespace unclip::train
