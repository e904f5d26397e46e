// `unclip export`: finished runs become a model directory.
#pragma once
#include <torch/types.h>

#include <filesystem>
#include <vector>

namespace unclip::train {

struct ExportRequest {
  std::vector<std::filesystem::path>
      runs;                    // of any stages, each once; averaged weights of the last checkpoint
  std::filesystem::path out;   // the model directory; stages that are not among `runs` stay as they are
  std::filesystem::path card;  // JSON with name, version, licence, attribution, trained_on, card; or empty
  torch::ScalarType dtype = torch::kBFloat16;
};

/// Error(io) naming a run without a checkpoint, Error(config) for two runs of one stage.
void export_model(const ExportRequest& request);

}  // namespace unclip::train
