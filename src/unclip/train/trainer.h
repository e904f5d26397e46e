// One training loop for all stages.
#pragma once
#include <memory>

#include "unclip/base/progress.h"
#include "unclip/train/config.h"
#include "unclip/train/run_folder.h"
#include "unclip/train/stage.h"

namespace unclip::train {

/// Makes the loader that goes on from a place in the data.
using LoaderFactory = std::function<std::unique_ptr<data::Loader>(const data::LoaderState& start)>;

/// Told after each evaluation.
using EvaluationObserver = std::function<void(int64_t step, const Metrics& metrics)>;

struct TrainerParts {
  Stage& stage;
  const TrainConfig& config;
  const RunFolder& folder;
  LoaderFactory make_loader;
  Progress& progress;
  std::string label = "training";  // of the progress bar
  EvaluationObserver on_evaluation = nullptr;
};

class Trainer {
 public:
  explicit Trainer(const TrainerParts& parts);
  /// Trains until config.steps or a requested stop; saves a checkpoint in either case. A loss or gradient
  /// that is not finite is an Error(numeric) naming the step and the first bad tensor; the last checkpoint is
  /// then untouched.
  void run();
  int64_t step() const { return position_.step; }

 private:
  void start_or_resume();
  StepLoss accumulate_gradients();
  void update(const StepLoss& step_loss);
  void log(const StepLoss& step_loss, double gradient_norm);
  void evaluate();
  void save();
  CheckpointTensors tensors();

  TrainerParts parts_;
  Position position_;
  std::unique_ptr<Optimizer> optimizer_;
  std::unique_ptr<data::Loader> loader_;
  double smoothed_loss_ = 0.0;
  double pictures_since_log_ = 0.0, seconds_since_log_ = 0.0;
};

/// Puts the averaged weights into the network while it lives.
class AveragedWeights {
 public:
  explicit AveragedWeights(Optimizer& optimizer);
  ~AveragedWeights();
  AveragedWeights(const AveragedWeights&) = delete;
  AveragedWeights& operator=(const AveragedWeights&) = delete;

 private:
  void swap();
  Optimizer& optimizer_;
};

}  // namespace unclip::train
