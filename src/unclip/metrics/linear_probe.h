// Linear probes on CLIP features that stand in for people: aesthetic ratings (unCLIP §5.5) and preferences
// between two pictures (unCLIP App. A).
#pragma once
#include <torch/types.h>

namespace unclip::metrics {

/// f(x) = wᵀ x̃ + b on x̃ = √D · x / ‖x‖.
struct LinearProbe {
  torch::Tensor weight;  // float64 [D]
  double bias = 0;
  /// Features [N, D] -> float64 [N].
  torch::Tensor operator()(const torch::Tensor& features) const;
};

/// Ridge regression of `ratings` [N] with the intercept left free: min Σ (f(x) − y)² + penalty · ‖w‖². The
/// recipe of Crowson's aesthetic models, which unCLIP §5.5 fits to AVA: unit length times √D, penalty 1.
LinearProbe fit_ratings(const torch::Tensor& features, const torch::Tensor& ratings, double penalty = 1);

/// Logistic regression on differences, P(y is preferred over x) = σ(f(y) − f(x)) (unCLIP App. A): row k of
/// `better` was preferred over row k of `worse`. min Σ log(1 + exp(f(worse) − f(better))) + penalty/2 · ‖w‖²,
/// by Newton's method. The bias is 0: no comparison tells it.
LinearProbe fit_preferences(const torch::Tensor& better, const torch::Tensor& worse, double penalty = 1);

/// Coefficient of determination, 1 − Σ(y − f)² / Σ(y − ȳ)², of ratings that the probe has not seen.
double r_squared(const LinearProbe& probe, const torch::Tensor& features, const torch::Tensor& ratings);
/// Share of comparisons in which the preferred picture scores higher.
double preference_accuracy(const LinearProbe& probe, const torch::Tensor& better, const torch::Tensor& worse);

}  // namespace unclip::metrics
