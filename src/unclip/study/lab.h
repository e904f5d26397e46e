// What all experiments of the study share: the model that is examined, test pictures, and who judges
// drawings.
#pragma once
#include <memory>

#include "unclip/eval/evaluation.h"
#include "unclip/pipeline/unclip.h"
#include "unclip/study/study.h"

namespace unclip::study {

class Lab {
 public:
  /// Opens everything and checks it. Error(checkpoint) if the model lacks a stage, Error(data) if the judge
  /// reads no captions or there are too few test pictures.
  Lab(const StudyRequest& request, Progress& progress);

  const StudyRequest& request() const { return request_; }
  const Plan& plan() const { return plan_; }
  void set_plan(const Plan& plan) { plan_ = plan; }
  Progress& progress() const { return progress_; }
  std::filesystem::path path(const std::string& name) const { return request_.folder / name; }
  const data::Dataset& test() const { return *test_; }
  torch::Tensor test_picture(int64_t index) const;  // uint8 [S, S, 3] at the decoder's side

  /// The model as it was given.
  pipeline::Unclip& model() { return model_; }
  const clip::ClipConfig& clip_config() const { return model_.model().text_encoder->config; }
  int64_t side() const { return model_.sizes().front(); }  // of the decoder's pictures, in pixels

  const eval::FeatureExtractor& judge() const { return *judge_; }
  /// The judge's features, rows of unit length [N, D]: of pictures uint8 [H, W, 3], of drawn ones [N, 3, S,
  /// S] in −1…1, and of captions.
  torch::Tensor embed(const std::vector<torch::Tensor>& pictures) const;
  torch::Tensor embed_drawn(const torch::Tensor& pictures) const;
  torch::Tensor embed_captions(const std::vector<std::string>& captions) const;

  /// Draws plan().pictures for captions of the test pictures at each guidance scale (none: the model's own),
  /// for the same captions and seeds whatever the model, and compares them with the test pictures.
  /// `model` is a model directory.
  eval::Evaluation evaluate(const std::filesystem::path& model,
                            pipeline::PriorKind prior,
                            const std::vector<double>& guidance = {}) const;
  /// The same as a command line.
  std::string evaluate_command(const std::filesystem::path& model,
                               pipeline::PriorKind prior,
                               const std::vector<double>& guidance = {}) const;

 private:
  const StudyRequest& request_;
  Progress& progress_;
  pipeline::Unclip model_;
  std::unique_ptr<eval::FeatureExtractor> judge_;
  std::unique_ptr<data::Dataset> test_;
  Plan plan_;
};

/// " --data a b": a flag with several values, as it must be typed.
std::string flag_text(const std::string& flag, const std::vector<std::string>& values);

}  // namespace unclip::study
