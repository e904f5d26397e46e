// Training CLIP by the contrastive loss (Radford et al. 2021; unCLIP §2).
#pragma once
#include <memory>

#include "unclip/clip/clip.h"
#include "unclip/data/dataset.h"
#include "unclip/text/tokenizer.h"
#include "unclip/train/config.h"
#include "unclip/train/stage.h"

namespace unclip::train {

/// Everything that `train clip` is told in its configuration file.
struct ClipRun {
  std::string stage = "clip";
  clip::ClipConfig model;
  data::LoaderConfig data;
  TrainConfig train;

  static void fields(auto& self, auto&& field) {
    field("stage", self.stage, "which stage this configures");
    field("model", self.model, "the network");
    field("data", self.data, "pictures and captions");
    field("train", self.train, "the run");
  }
};

class ClipStage final : public Stage {
 public:
  /// `validation` may be null: then evaluate() has nothing to say.
  ClipStage(const ClipRun& run,
            std::shared_ptr<const text::Tokenizer> tokenizer,
            std::shared_ptr<const data::Dataset> validation);
  torch::nn::Module& network() override { return *model_; }
  StepLoss loss(const data::Batch& batch, const NoiseKey& key) override;
  void after_update() override { clip::clamp_logit_scale(*model_); }
  /// Recall of the right picture among all held-out ones, per caption ("text_to_image_r1", …), and the
  /// reverse. The sheet shows a caption's own picture, then those that the caption finds.
  Figures evaluate(const std::filesystem::path& sheet) override;

 private:
  ClipRun run_;
  clip::Clip model_;
  std::shared_ptr<const text::Tokenizer> tokenizer_;
  std::shared_ptr<const data::Dataset> validation_;
};

}  // namespace unclip::train
