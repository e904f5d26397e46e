// Training CLIP by the contrastive loss (Radford et al. 2021; unCLIP §2).
#pragma once
#include <memory>

#include "unclip/clip/clip.h"
#include "unclip/data/dataset.h"
#include "unclip/text/tokenizer.h"
#include "unclip/train/config.h"
#include "unclip/train/stage.h"
#include "unclip/train/teacher.h"

namespace unclip::train {

/// Everything that `train clip` is told in its configuration file.
struct ClipRun {
  std::string stage = "clip";
  clip::ClipConfig model;
  data::LoaderConfig data;
  TrainConfig train;
  TeacherConfig teacher;

  static void fields(auto& self, auto&& field) {
    field("stage", self.stage, "which stage this configures");
    field("model", self.model, "the network");
    field("data", self.data, "pictures and captions");
    field("train", self.train, "the run");
    field("teacher", self.teacher, "a sentence encoder that the text tower learns from");
  }
};

class ClipStage final : public Stage {
 public:
  /// `validation` may be null: then evaluate() has nothing to say.
  ClipStage(const ClipRun& run,
            std::shared_ptr<const text::Tokenizer> tokenizer,
            std::shared_ptr<const data::Dataset> validation);
  /// The texts of a teacher, needed if run.teacher.weight is above 0.
  void learn_from(std::shared_ptr<const Teacher> teacher) { teacher_ = std::move(teacher); }
  torch::nn::Module& network() override { return *model_; }
  StepLoss loss(const data::Batch& batch, const NoiseKey& key) override;
  void after_update() override { clip::clamp_logit_scale(*model_); }
  /// Recall of the right picture among all held-out ones, per caption ("text_to_image_r1", …), and the
  /// reverse. The sheet shows a caption's own picture, then those that the caption finds.
  Metrics evaluate(const std::filesystem::path& sheet) override;

 private:
  torch::Tensor encode_text(const std::vector<std::string>& texts);  // z_t [N, D]
  ClipRun run_;
  clip::Clip model_;
  std::shared_ptr<const text::Tokenizer> tokenizer_;
  std::shared_ptr<const data::Dataset> validation_;
  std::shared_ptr<const Teacher> teacher_;
};

}  // namespace unclip::train
