// Training the decoder on (z_i, caption) pairs with both drop rates (unCLIP §2.1); with model.inpaint, to
// fill holes.
#pragma once
#include "unclip/decoder/decoder.h"
#include "unclip/train/config.h"
#include "unclip/train/diffusion_training.h"
#include "unclip/train/held_out.h"
#include "unclip/train/trained_model.h"

namespace unclip::train {

/// How the sample sheets of a run are drawn.
struct SheetConfig {
  int64_t pictures = 16;
  int64_t steps = 20;
  double guidance = 2.0;

  static void fields(auto& self, auto&& field) {
    field("pictures", self.pictures, "held-out pictures on a sheet");
    field("steps", self.steps, "sampling steps");
    field("guidance", self.guidance, "guidance scale");
  }
};

struct DecoderRun {
  std::string stage = "decoder";
  decoder::DecoderConfig model;
  diffusion::LossConfig loss;
  data::LoaderConfig data;
  TrainConfig train;
  SheetConfig sheet;

  static void fields(auto& self, auto&& field) {
    field("stage", self.stage, "which stage this configures");
    field("model", self.model, "the network");
    field("loss", self.loss, "the loss");
    field("data", self.data, "pictures and captions");
    field("train", self.train, "the run");
    field("sheet", self.sheet, "the sample sheets");
  }
};

class DecoderStage final : public Stage {
 public:
  DecoderStage(const DecoderRun& run,
               pipeline::ClipEncoder clip,
               std::shared_ptr<const data::Dataset> validation);
  torch::nn::Module& network() override { return *model_; }
  StepLoss loss(const data::Batch& batch, const NoiseKey& key) override;
  /// Validation loss on fixed noise; and of pictures drawn from held-out z_i and captions, how near CLIP sees
  /// them to the real ones. The sheet shows held-out pictures (and these with holes) above what is drawn.
  Metrics evaluate(const std::filesystem::path& sheet) override;

 private:
  torch::Tensor draw(const HeldOut& pairs, const torch::Tensor& z_i);
  void write_drawn(const std::filesystem::path& sheet,
                   const torch::Tensor& real,
                   const torch::Tensor& drawn) const;
  /// With model.inpaint, x_t beside its pictures with random holes.
  torch::Tensor with_surroundings(const torch::Tensor& x_t,
                                  const torch::Tensor& pictures,
                                  const NoiseKey& key) const;
  DecoderRun run_;
  decoder::Decoder model_;
  pipeline::ClipEncoder clip_;
  std::shared_ptr<const data::Dataset> validation_;
  diffusion::DiffusionLoss diffusion_loss_;
};

}  // namespace unclip::train
