#include "unclip/metrics/linear_probe.h"

#include <cmath>

#include "unclip/base/error.h"

namespace unclip::metrics {
namespace {

constexpr int kNewtonSteps = 100;
constexpr double kConverged = 1e-12;

/// x̃ = √D · x / ‖x‖: all rows of one length, entries of about unit size.
torch::Tensor prepared(const torch::Tensor& features) {
  const torch::Tensor x = features.to(torch::kFloat64);
  return x * (std::sqrt(static_cast<double>(x.size(1))) / x.norm(2, 1, true).clamp_min(1e-12));
}

/// A⁻¹ b for a positive definite A.
torch::Tensor solve(const torch::Tensor& a, const torch::Tensor& b) {
  return at::cholesky_solve(b.unsqueeze(1), at::linalg_cholesky(a)).squeeze(1);
}

torch::Tensor penalty_matrix(int64_t width, double penalty) {
  return penalty * torch::eye(width, torch::kFloat64);
}

void check_penalty(double penalty) {
  check(penalty > 0, ErrorKind::config, "the penalty of a probe is ", penalty, ", expected more than 0");
}

}  // namespace

torch::Tensor LinearProbe::operator()(const torch::Tensor& features) const {
  check(features.dim() == 2 && features.size(1) == weight.size(0), ErrorKind::shape, "features have shape ",
        features.sizes(), ", but the probe was fitted to a width of ", weight.size(0));
  return prepared(features).matmul(weight) + bias;
}

LinearProbe fit_ratings(const torch::Tensor& features, const torch::Tensor& ratings, double penalty) {
  check_penalty(penalty);
  check(ratings.dim() == 1 && ratings.size(0) == features.size(0) && ratings.size(0) >= 2, ErrorKind::data,
        "a probe needs one rating for each of at least two pictures, got ", ratings.sizes(), " for ",
        features.size(0), " pictures");
  const torch::Tensor x = prepared(features), y = ratings.to(torch::kFloat64);
  const torch::Tensor x_mean = x.mean(0), y_mean = y.mean(), centred = x - x_mean;
  const torch::Tensor gram = centred.t().matmul(centred) + penalty_matrix(x.size(1), penalty);
  const torch::Tensor weight = solve(gram, centred.t().matmul(y - y_mean));
  return {weight, (y_mean - x_mean.dot(weight)).item<double>()};
}

LinearProbe fit_preferences(const torch::Tensor& better, const torch::Tensor& worse, double penalty) {
  check_penalty(penalty);
  check(better.sizes() == worse.sizes() && better.dim() == 2 && better.size(0) >= 1, ErrorKind::data,
        "a probe needs pairs of pictures, got features ", better.sizes(), " and ", worse.sizes());
  const torch::Tensor difference = prepared(better) - prepared(worse);
  const int64_t width = difference.size(1);
  torch::Tensor weight = torch::zeros({width}, torch::kFloat64);
  for (int step = 0; step < kNewtonSteps; ++step) {
    const torch::Tensor doubt = at::sigmoid(-difference.matmul(weight));  // P of the opposite answer
    const torch::Tensor gradient = penalty * weight - difference.t().matmul(doubt);
    const torch::Tensor curvature = (doubt * (1 - doubt)).unsqueeze(1);
    const torch::Tensor hessian =
        difference.t().matmul(difference * curvature) + penalty_matrix(width, penalty);
    const torch::Tensor move = solve(hessian, gradient);
    weight = weight - move;
    if (move.norm().item<double>() <= kConverged * (1 + weight.norm().item<double>())) return {weight, 0};
  }
  fail(ErrorKind::numeric, "the preference probe did not settle in ", kNewtonSteps,
       " steps: give it a larger penalty");
}

double r_squared(const LinearProbe& probe, const torch::Tensor& features, const torch::Tensor& ratings) {
  const torch::Tensor y = ratings.to(torch::kFloat64);
  const torch::Tensor left = (y - probe(features)).square().sum(), all = (y - y.mean()).square().sum();
  return 1 - (left / all).item<double>();
}

double preference_accuracy(const LinearProbe& probe,
                           const torch::Tensor& better,
                           const torch::Tensor& worse) {
  return (probe(better) > probe(worse)).to(torch::kFloat64).mean().item<double>();
}

}  // namespace unclip::metrics
