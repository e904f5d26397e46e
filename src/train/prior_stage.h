// Training the diffusion prior: L = E ‖f(z_i^(t), t, y) − z_i‖² (unCLIP §2.2).
#pragma once
#include "unclip/prior/diffusion_prior.h"
#include "unclip/train/config.h"
#include "unclip/train/diffusion_training.h"
#include "unclip/train/frozen_clip.h"
#include "unclip/train/held_out.h"

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
  PriorStage(const PriorRun& run, FrozenClip clip, std::shared_ptr<const data::Dataset> validation);
  torch::nn::Module& network() override { return *model_; }
  /// Mean and standard deviation of the embeddings of kStatisticsBatches batches, with scaling standardize.
  void prepare(data::Loader& loader) override;
  StepLoss loss(const data::Batch& batch, const NoiseKey& key) override;
  /// Validation loss, with the table x_0_mse that Analytic-DPM reads (stored in the model); and how often z_i
  /// drawn from a held-out caption finds the caption's picture. The sheet shows that picture, then what is
  /// found.
  Figures evaluate(const std::filesystem::path& sheet) override;

 private:
  Figures measure_errors(const HeldOut& pairs, const torch::Tensor& z_i);
  /// Cosines of z_i drawn from the first captions with all real ones.
  torch::Tensor retrieve(const HeldOut& pairs, const torch::Tensor& z_i);
  PriorRun run_;
  prior::DiffusionPrior model_;
  FrozenClip clip_;
  std::shared_ptr<const data::Dataset> validation_;
  diffusion::DiffusionLoss diffusion_loss_;
};

}  // namespace unclip::train
