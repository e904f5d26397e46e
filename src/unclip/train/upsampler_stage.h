// Training an upsampler on crops whose low-resolution side is spoilt (unCLIP §2.1).
#pragma once
#include "unclip/train/config.h"
#include "unclip/train/diffusion_training.h"
#include "unclip/train/held_out.h"
#include "unclip/upsampler/upsampler.h"

namespace unclip::train {

struct UpsamplerRun {
  std::string stage = "upsampler";
  upsampler::UpsamplerConfig model;
  diffusion::LossConfig loss;
  data::LoaderConfig data;
  TrainConfig train;
  int64_t sheet_pictures = 6;
  int64_t sheet_steps = 10;

  static void fields(auto& self, auto&& field) {
    field("stage", self.stage, "which stage this configures");
    field("model", self.model, "the network");
    field("loss", self.loss, "the loss");
    field("data", self.data, "pictures");
    field("train", self.train, "the run");
    field("sheet_pictures", self.sheet_pictures, "held-out pictures on a sample sheet");
    field("sheet_steps", self.sheet_steps, "sampling steps of the sample sheets");
  }
};

class UpsamplerStage final : public Stage {
 public:
  UpsamplerStage(const UpsamplerRun& run, std::shared_ptr<const data::Dataset> validation);
  torch::nn::Module& network() override { return *model_; }
  StepLoss loss(const data::Batch& batch, const NoiseKey& key) override;
  /// PSNR of enlarged held-out pictures and of plain bicubic enlargement; the sheet shows low, drawn, real.
  Metrics evaluate(const std::filesystem::path& sheet) override;
  /// The corruption of the config as the loader applies it, or null.
  static data::Degradation degradation(const upsampler::UpsamplerConfig& config);

 private:
  UpsamplerRun run_;
  upsampler::Upsampler model_;
  std::shared_ptr<const data::Dataset> validation_;
  diffusion::DiffusionLoss diffusion_loss_;
};

}  // namespace unclip::train
