// Gradients and ten optimizer steps of a network against what PyTorch recorded for the Python reference.
#pragma once
#include <functional>

#include "support/close.h"
#include "support/fixture.h"
#include "unclip/io/key_map.h"
#include "unclip/io/state.h"
#include "unclip/train/optimizer.h"

namespace unclip::testing {

/// As in every trained fixture's metadata: lr 1e-3, betas 0.9 and 0.95, eps 1e-5, weight decay 0.1 on
/// everything.
inline train::OptimizerConfig fixture_optimizer() {
  return {.learning_rate = 1e-3,
          .beta1 = 0.9,
          .beta2 = 0.95,
          .eps = 1e-5,
          .weight_decay = 0.1,
          .decay_vectors = true,
          .clip_norm = 0.0,
          .ema_decay = 0.9};
}

inline std::vector<std::pair<std::string, torch::Tensor>> parameters_of(torch::nn::Module& module) {
  std::vector<std::pair<std::string, torch::Tensor>> result;
  for (const auto& item : module.named_parameters()) result.emplace_back(item.key(), item.value());
  return result;
}

/// Loads the fixture's weights, through `map`, as memory of the module's own.
inline void load_weights(torch::nn::Module& module, const Fixture& fixture, const io::KeyMap& map) {
  io::load_state(module, map.map_to_ours(fixture.group("weight."), "fixture"), "fixture");
  for (torch::Tensor& p : module.parameters()) p.set_data(p.contiguous());
}

/// `loss` computes the recorded loss from the module's present weights.
inline void expect_same_training(torch::nn::Module& module,
                                 const Fixture& fixture,
                                 const io::KeyMap& map,
                                 const std::function<torch::Tensor()>& loss) {
  const io::NamedTensors gradients = map.map_to_ours(fixture.group("grad."), "fixture");
  const torch::Tensor first = loss();
  EXPECT_CLOSE(first, fixture["loss"], {.absolute = 1e-6, .relative = 1e-5});
  first.backward();
  for (const auto& [name, parameter] : parameters_of(module)) {
    ASSERT_TRUE(gradients.contains(name)) << name;
    ASSERT_TRUE(parameter.grad().defined()) << name;
    // Key biases have a gradient of exactly zero and rounding on both sides: hence the absolute part.
    EXPECT_CLOSE(parameter.grad(), gradients.at(name), {.absolute = 1e-6, .relative = 1e-4}) << name;
  }
  module.zero_grad();
  train::Optimizer optimizer(parameters_of(module), fixture_optimizer());
  const torch::Tensor losses = fixture["step_losses"];
  for (int64_t step = 0; step < losses.size(0); ++step) {
    const torch::Tensor value = loss();
    EXPECT_CLOSE(value, losses[step], {.absolute = 1e-6, .relative = 1e-4}) << "step " << step;
    value.backward();
    optimizer.step(fixture_optimizer().learning_rate);
  }
  const io::NamedTensors final_weights = map.map_to_ours(fixture.group("final."), "fixture");
  for (const auto& [name, parameter] : parameters_of(module)) {
    EXPECT_CLOSE(parameter, final_weights.at(name), {.absolute = 2e-5, .relative = 2e-4}) << name;
  }
}

}  // namespace unclip::testing
