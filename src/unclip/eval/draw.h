// Pictures that a model draws in order to be judged, kept as shards so that a second run goes on where the
// first one ended and any features can be taken of them later.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "unclip/pipeline/unclip.h"

namespace unclip::eval {

struct DrawRequest {
  std::vector<std::string> captions;  // picture k is drawn from captions[k] with seed + k
  uint64_t seed = 0;
  pipeline::SamplingOptions sampling;
  std::string identity;  // another text whenever model or drawing differ: names the folder
};

/// Draws what is not there yet into FOLDER/KEY/00000.tar, 00001.tar, … (x.png with x.txt) and returns
/// FOLDER/KEY. Reports to `progress` as `stage`, one unit a picture.
std::filesystem::path draw_pictures(const pipeline::Unclip& model,
                                    const DrawRequest& request,
                                    const std::filesystem::path& folder,
                                    const std::string& stage,
                                    Progress& progress);

}  // namespace unclip::eval
