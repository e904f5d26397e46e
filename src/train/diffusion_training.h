// What the three diffusion stages share: noising a batch, the loss, its settings.
#pragma once
#include "unclip/base/noise.h"
#include "unclip/diffusion/loss.h"
#include "unclip/train/stage.h"

namespace unclip::train {

/// Uniform timesteps and Gaussian noise from the step's own key (unCLIP §2.2: the expectation over t is
/// uniform).
diffusion::NoisedBatch noise_batch(const diffusion::NoiseSchedule& schedule,
                                   const torch::Tensor& x_0,
                                   const NoiseKey& key);

/// bool [N], true with probability `rate`.
torch::Tensor drop_mask(int64_t count, double rate, const NoiseKey& key);

/// A stream of random numbers named `name` within the step's own.
NoiseKey sub_key(const NoiseKey& key, std::string_view name);

/// The mean of the terms, with the figures that go to the log.
StepLoss mean_loss(const diffusion::LossTerms& terms);

}  // namespace unclip::train
