// Pictures of any sizes that came of other pictures (`inpaint`, `upscale`), on their way to the disk.
#pragma once
#include "apps/cli/sampling_flags.h"

namespace unclip::cli {

struct Results {
  std::vector<torch::Tensor> pictures;  // uint8 [H, W, 3 or 4]
  std::vector<Recipe> recipes;          // one per picture
  torch::Tensor sheet;                  // written beside several
  std::vector<std::string> warnings;
};

/// Writes the pictures and, for several, the sheet; tells what was written on stderr or as --json.
void write_results(const SamplingFlags& flags, const Results& results, const Context& context);

}  // namespace unclip::cli
