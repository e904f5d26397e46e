// What the three diffusion stages share: noising a batch, the loss, its settings.
#pragma once
#include "unclip/diffusion/loss.h"
#include "unclip/train/stage.h"
#include "unclip/train/step_random.h"

namespace unclip::train {

/// Uniform timesteps and Gaussian noise from the step's own key (unCLIP §2.2: the expectation over t is
/// uniform).
diffusion::NoisedBatch noise_batch(const diffusion::NoiseSchedule& schedule,
                                   const torch::Tensor& x_0,
                                   const NoiseKey& key);

/// The mean of the terms, with the figures that go to the log.
StepLoss mean_loss(const diffusion::LossTerms& terms);

}  // namespace unclip::train
