#include "unclip/train/optimizer.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>

#include "unclip/base/instruction_sets.h"
#include "unclip/train/muon.h"

namespace unclip::train {
namespace {

constexpr int64_t kChunk = 1 << 15;  // elements of one parallel task

struct Coefficients {
  float gradient_scale, beta1, beta2, step_size, inverse_sqrt_correction2, eps, keep, ema_decay;
};

UNCLIP_CLONES void update(int64_t count,
                          const Coefficients& k,
                          const float* __restrict gradient,
                          float* __restrict parameter,
                          float* __restrict mean,
                          float* __restrict square,
                          float* __restrict ema) {
  for (int64_t i = 0; i < count; ++i) {
    const float g = gradient[i] * k.gradient_scale;
    const float m = k.beta1 * mean[i] + (1.0F - k.beta1) * g;
    const float v = k.beta2 * square[i] + (1.0F - k.beta2) * g * g;
    const float p =
        parameter[i] * k.keep - k.step_size * m / (std::sqrt(v) * k.inverse_sqrt_correction2 + k.eps);
    mean[i] = m;
    square[i] = v;
    parameter[i] = p;
    ema[i] += (1.0F - k.ema_decay) * (p - ema[i]);
  }
}

UNCLIP_CLONES float sum_of_squares(int64_t count, const float* x) {
  float lanes[16] =
      {};  // independent sums: the order is fixed, and the loop vectorises without reassociation
  int64_t i = 0;
  for (; i + 16 <= count; i += 16) {
    for (int64_t lane = 0; lane < 16; ++lane) lanes[lane] += x[i + lane] * x[i + lane];
  }
  float sum = 0.0F;
  for (; i < count; ++i) sum += x[i] * x[i];
  for (const float lane : lanes) sum += lane;
  return sum;
}

/// A piece of one tensor: what a task of the parallel loops works on.
struct Chunk {
  size_t tensor;
  int64_t begin, count;
};

std::vector<Chunk> chunks_of(const std::vector<TrainedTensor>& tensors) {
  std::vector<Chunk> chunks;
  for (size_t t = 0; t < tensors.size(); ++t) {
    const int64_t total = tensors[t].parameter.numel();
    for (int64_t begin = 0; begin < total; begin += kChunk) {
      chunks.push_back({t, begin, std::min(kChunk, total - begin)});
    }
  }
  return chunks;
}

template <class Run>
void for_each_chunk(const std::vector<Chunk>& chunks, const Run& run) {
  at::parallel_for(0, static_cast<int64_t>(chunks.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) run(i, chunks[static_cast<size_t>(i)]);
  });
}

}  // namespace

void OptimizerConfig::validate() const {
  check(learning_rate > 0, ErrorKind::config, "optimizer: learning_rate is ", learning_rate,
        ", expected > 0");
  check(beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1, ErrorKind::config, "optimizer: beta1 is ", beta1,
        " and beta2 ", beta2, ", expected both in [0, 1)");
  check(eps > 0 && weight_decay >= 0 && clip_norm >= 0, ErrorKind::config,
        "optimizer: eps must be positive, weight_decay and clip_norm not negative");
  check(ema_decay >= 0 && ema_decay < 1, ErrorKind::config, "optimizer: ema_decay is ", ema_decay,
        ", expected [0, 1)");
  check(muon_momentum >= 0 && muon_momentum < 1, ErrorKind::config, "optimizer: muon_momentum is ",
        muon_momentum, ", expected [0, 1)");
}

Optimizer::Optimizer(std::vector<std::pair<std::string, torch::Tensor>> parameters, OptimizerConfig config)
    : config_(config) {
  config.validate();
  for (auto& [name, parameter] : parameters) {
    check(parameter.scalar_type() == torch::kFloat32 && parameter.is_non_overlapping_and_dense(),
          ErrorKind::shape, "optimizer: '", name, "' must be a dense float32 tensor");
    const bool by_muon = config.muon_momentum > 0 && is_hidden_matrix(name, parameter);
    tensors_.push_back({.name = name,
                        .parameter = parameter,
                        .mean = torch::zeros_like(parameter),
                        .square = by_muon ? torch::Tensor() : torch::zeros_like(parameter),
                        .ema = parameter.detach().clone()});
  }
}

double Optimizer::gradient_norm(const std::vector<torch::Tensor>& gradients) const {
  const auto chunks = chunks_of(tensors_);
  std::vector<double> sums(chunks.size());
  for_each_chunk(chunks, [&](int64_t i, const Chunk& chunk) {
    sums[static_cast<size_t>(i)] =
        sum_of_squares(chunk.count, gradients[chunk.tensor].const_data_ptr<float>() + chunk.begin);
  });
  double total = 0.0;
  for (size_t i = 0; i < chunks.size(); ++i) {
    check(std::isfinite(sums[i]), ErrorKind::numeric, "the gradient of '", tensors_[chunks[i].tensor].name,
          "' is not finite");
    total += sums[i];
  }
  return std::sqrt(total);
}

std::vector<torch::Tensor> Optimizer::gradients() {
  std::vector<torch::Tensor> result;
  for (TrainedTensor& t : tensors_) {
    torch::Tensor& gradient = t.parameter.mutable_grad();
    if (!gradient.defined()) gradient = torch::zeros_like(t.parameter);
    // Same strides as the parameter, so that element i means the same in both.
    result.push_back(gradient.strides() == t.parameter.strides()
                         ? gradient
                         : torch::empty_like(t.parameter).copy_(gradient));
  }
  return result;
}

Optimizer::StepReport Optimizer::step(double learning_rate, double gradient_scale) {
  const torch::NoGradGuard no_grad;
  const std::vector<torch::Tensor> all = gradients();
  const double norm = gradient_norm(all) * gradient_scale;
  const double clip = config_.clip_norm > 0 ? std::min(1.0, config_.clip_norm / (norm + 1e-6)) : 1.0;
  ++steps_;
  const auto n = static_cast<double>(steps_);
  const StepFactors factors{
      .learning_rate = learning_rate,
      .gradient_scale = gradient_scale * clip,
      .ema_decay = config_.ema_warmup ? std::min(config_.ema_decay, (1 + n) / (10 + n)) : config_.ema_decay};
  update_by_adam(all, factors);
  for (size_t i = 0; i < tensors_.size(); ++i) {
    if (!tensors_[i].square.defined()) update_by_muon(tensors_[i], all[i], factors);
  }
  for (TrainedTensor& t : tensors_) t.parameter.mutable_grad().reset();
  return {norm};
}

void Optimizer::update_by_adam(const std::vector<torch::Tensor>& gradients, const StepFactors& factors) {
  const auto n = static_cast<double>(steps_);
  const auto coefficients = [&](const TrainedTensor& t) {
    const bool decays = config_.decay_vectors || t.parameter.dim() >= 2;
    return Coefficients{
        .gradient_scale = static_cast<float>(factors.gradient_scale),
        .beta1 = static_cast<float>(config_.beta1),
        .beta2 = static_cast<float>(config_.beta2),
        .step_size = static_cast<float>(factors.learning_rate / (1 - std::pow(config_.beta1, n))),
        .inverse_sqrt_correction2 = static_cast<float>(1 / std::sqrt(1 - std::pow(config_.beta2, n))),
        .eps = static_cast<float>(config_.eps),
        .keep = static_cast<float>(1 - (decays ? factors.learning_rate * config_.weight_decay : 0.0)),
        .ema_decay = static_cast<float>(factors.ema_decay)};
  };
  for_each_chunk(chunks_of(tensors_), [&](int64_t, const Chunk& chunk) {
    TrainedTensor& t = tensors_[chunk.tensor];
    if (!t.square.defined()) return;
    update(chunk.count, coefficients(t), gradients[chunk.tensor].const_data_ptr<float>() + chunk.begin,
           t.parameter.data_ptr<float>() + chunk.begin, t.mean.data_ptr<float>() + chunk.begin,
           t.square.data_ptr<float>() + chunk.begin, t.ema.data_ptr<float>() + chunk.begin);
  });
}

void Optimizer::update_by_muon(TrainedTensor& t, const torch::Tensor& gradient, const StepFactors& factors) {
  const torch::Tensor g = gradient * factors.gradient_scale;
  t.mean.lerp_(g, 1 - config_.muon_momentum);
  // Nesterov's momentum: one step ahead of the mean.
  const torch::Tensor direction = torch::lerp(g, t.mean, config_.muon_momentum).flatten(1);
  torch::Tensor weights = t.parameter.detach();
  weights.mul_(1 - factors.learning_rate * config_.weight_decay);
  weights.sub_(orthogonalized(direction).reshape(weights.sizes()),
               factors.learning_rate * muon_scale(direction));
  t.ema.lerp_(weights, 1 - factors.ema_decay);
}

}  // namespace unclip::train
