// Training the autoregressive prior: the negative log-likelihood of z_i's codes (unCLIP §2.2).
#pragma once
#include "unclip/prior/autoregressive_prior.h"
#include "unclip/train/config.h"
#include "unclip/train/held_out_pairs.h"

namespace unclip::train {

struct ArPriorRun {
  std::string stage = "ar_prior";
  prior::AutoregressivePriorConfig model;
  int64_t fit_pictures = 16384;
  data::LoaderConfig data;
  TrainConfig train;

  static void fields(auto& self, auto&& field) {
    field("stage", self.stage, "which stage this configures");
    field("model", self.model, "the network");
    field("fit_pictures", self.fit_pictures,
          "training pictures on which principal components and the distribution of z_i·z_t are fitted");
    field("data", self.data, "pictures and captions");
    field("train", self.train, "the run");
  }
};

class ArPriorStage final : public Stage {
 public:
  ArPriorStage(const ArPriorRun& run,
               pipeline::ClipEncoder clip,
               std::shared_ptr<const data::Dataset> validation);
  torch::nn::Module& network() override { return *model_; }
  /// Fits the model's statistics on the first pictures that training will see.
  void prepare(data::Loader& loader) override;
  StepLoss loss(const data::Batch& batch, const NoiseKey& key) override;
  /// validation_nats and validation_bits of one code; code_error, the share of the variance that is lost in
  /// writing z_i as codes; and how good the z_i are that it draws.
  Metrics evaluate(const std::filesystem::path& sheet) override;

 private:
  /// Mean cross-entropy of the codes of z_i [N, D] behind their captions, in nats; rows with `drop` have
  /// none.
  torch::Tensor code_nats(const torch::Tensor& z_i, const nn::TextEncoding& text, const torch::Tensor& drop);
  Metrics measure_likelihood(const HeldOutPairs& pairs);
  ArPriorRun run_;
  prior::AutoregressivePrior model_;
  pipeline::ClipEncoder clip_;
  std::shared_ptr<const data::Dataset> validation_;
};

}  // namespace unclip::train
