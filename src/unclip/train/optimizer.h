// Adam with decoupled weight decay (Loshchilov & Hutter 2019), gradient clipping and the exponential moving
// average of the weights, in one pass over memory; Muon for the matrices of hidden layers where asked.
#pragma once
#include <torch/types.h>

#include <string>
#include <vector>

#include "unclip/base/config.h"

namespace unclip::train {

struct OptimizerConfig {
  double learning_rate = 1e-4;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.0;
  bool decay_vectors = true;   // decay biases, norms and embeddings of one dimension too
  double muon_momentum = 0.0;  // above 0: matrices of hidden layers learn by Muon (muon.h) instead of Adam
  double clip_norm = 1.0;      // largest L2 norm of all gradients together; 0: no clipping
  double ema_decay = 0.9999;
  bool ema_warmup = true;  // decay min(ema_decay, (1 + step) / (10 + step)): short runs see recent weights

  static void fields(auto& self, auto&& field) {
    field("learning_rate", self.learning_rate, "peak learning rate");
    field("beta1", self.beta1, "decay of the gradient's mean");
    field("beta2", self.beta2, "decay of the squared gradient's mean");
    field("eps", self.eps, "added to the denominator");
    field("weight_decay", self.weight_decay, "decoupled weight decay, times the learning rate");
    field("decay_vectors", self.decay_vectors, "decay parameters with fewer than two dimensions too");
    field("muon_momentum", self.muon_momentum,
          "of Muon for matrices of hidden layers, 0 for AdamW throughout");
    field("clip_norm", self.clip_norm, "largest L2 norm of all gradients together, 0 for no clipping");
    field("ema_decay", self.ema_decay, "decay of the moving average of the weights");
    field("ema_warmup", self.ema_warmup, "let the average forget the first steps quickly");
  }
  void validate() const;
};

/// One trained tensor with its state; all float32, contiguous in the same order.
struct TrainedTensor {
  std::string name;
  torch::Tensor parameter;
  torch::Tensor mean;    // of the gradient
  torch::Tensor square;  // mean squared gradient; undefined for Muon, which needs none
  torch::Tensor ema;     // moving average of the parameter
};

class Optimizer {
 public:
  Optimizer(std::vector<std::pair<std::string, torch::Tensor>> parameters, OptimizerConfig config);

  struct StepReport {
    double gradient_norm = 0.0;  // before clipping
  };
  /// One update from the parameters' .grad, which are released. `gradient_scale` multiplies them first (1 /
  /// accumulation steps). A gradient that is not finite is an Error(numeric) naming the tensor; nothing is
  /// updated then.
  StepReport step(double learning_rate, double gradient_scale = 1.0);

  int64_t steps() const { return steps_; }
  void set_steps(int64_t steps) { steps_ = steps; }
  std::vector<TrainedTensor>& tensors() { return tensors_; }

 private:
  struct StepFactors {
    double learning_rate, gradient_scale, ema_decay;
  };
  std::vector<torch::Tensor> gradients();
  double gradient_norm(const std::vector<torch::Tensor>& gradients) const;
  void update_by_adam(const std::vector<torch::Tensor>& gradients, const StepFactors& factors);
  void update_by_muon(TrainedTensor& t, const torch::Tensor& gradient, const StepFactors& factors);
  OptimizerConfig config_;
  std::vector<TrainedTensor> tensors_;
  int64_t steps_ = 0;
};

}  // namespace unclip::train
