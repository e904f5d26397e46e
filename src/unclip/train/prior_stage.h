// Training the diffusion prior: L = E ‖f(z_i^(t), t, y) − z_i‖² (unCLIP §2.2).
#pragma once
#include "unclip/prior/diffusion_prior.h"
#include "unclip/train/config.h"
#include "unclip/train/diffusion_training.h"
#include "unclip/train/held_out_pairs.h"

namespace unclip::train {

struct PriorRun {
  std::string stage = "prior";
  prior::DiffusionPriorConfig model;
  diffusion::LossConfig loss;
  data::LoaderConfig data;
  TrainConfig train;

  static void fields(auto& self, auto&& field) {
    field("stage", self.stage, "which stage this configures");
    field("model", self.model, "the network");
    field("loss", self.loss, "the loss");
    field("data", self.data, "pictures and captions");
    field("train", self.train, "the run");
  }
};

class PriorStage final : public Stage {
 public:
  PriorStage(const PriorRun& run,
             pipeline::ClipEncoder clip,
             std::shared_ptr<const data::Dataset> validation);
  torch::nn::Module& network() override { return *model_; }
  /// Mean and standard deviation of the embeddings of kStatisticsBatches batches, with scaling standardize.
  void prepare(data::Loader& loader) override;
  StepLoss loss(const data::Batch& batch, const NoiseKey& key) override;
  /// Validation loss, with the table x_0_mse that Analytic-DPM reads (stored in the model), and how good the
  /// z_i are that it draws.
  Metrics evaluate(const std::filesystem::path& sheet) override;

 private:
  Metrics measure_errors(const HeldOutPairs& pairs);
  PriorRun run_;
  prior::DiffusionPrior model_;
  pipeline::ClipEncoder clip_;
  std::shared_ptr<const data::Dataset> validation_;
  diffusion::DiffusionLoss diffusion_loss_;
};

}  // namespace unclip::train
