// The study's own small models: runs of the one trainer, which go on where they were interrupted, and model
// directories made of them and of the examined model's stages.
#pragma once
#include "unclip/study/lab.h"

namespace unclip::study {

/// A stage to train for some steps, from the configuration of that name.
struct TrainingOrder {
  std::string name;   // of the run
  std::string stage;  // "prior", "ar_prior" or "decoder"
  int64_t steps = 0;
  std::vector<std::string> settings = {};  // "model.image_drop=1"
};

struct TrainedRun {
  std::filesystem::path run;
  double seconds = 0;   // of training
  std::string command;  // that does the same
};

/// Trains, goes on, or finds the run finished.
TrainedRun train(const Lab& lab, const TrainingOrder& order);

/// A model directory with the stage of `run`, and `borrowed` stages of the examined model ("clip" always).
/// The decoder of `run` is its decoder.
std::filesystem::path assemble(const Lab& lab,
                               const std::string& name,
                               const TrainedRun& run,
                               const std::vector<std::string>& borrowed);

}  // namespace unclip::study
