#include "unclip/study/compute.h"

#include <cmath>

namespace unclip::study {
namespace {

constexpr double kTraining = 3;    // forward, and twice as much backward
constexpr int64_t kPriorTail = 4;  // z_t, timestep, noised z_i, query

/// Of a linear layer at one position.
double linear(int64_t in, int64_t out) { return 2.0 * static_cast<double>(in) * static_cast<double>(out); }

}  // namespace

double transformer_flops(const nn::TransformerConfig& c, int64_t positions, int64_t keys) {
  const auto hidden = std::llround(static_cast<double>(c.width) * c.mlp_ratio);
  const double products =
      linear(c.width, 3 * c.width) + linear(c.width, c.width) + 2 * linear(c.width, hidden);
  const double attention = 2 * linear(c.width, keys);  // q kᵀ, and the weighted sum of values
  return static_cast<double>(c.layers * positions) * (products + attention);
}

double training_flops(const prior::DiffusionPriorConfig& c) {
  const int64_t width = c.transformer.width, positions = c.text_context + kPriorTail;
  double forward = transformer_flops(c.transformer, positions, positions);
  if (c.text_source == prior::PriorText::clip)
    forward += static_cast<double>(c.text_context) * linear(c.text_width, width);
  return kTraining * (forward + 3 * linear(c.embed_dim, width));  // z_t and x_t in, x_0 out
}

double training_flops(const prior::AutoregressivePriorConfig& c, int64_t components, int64_t text_length) {
  const int64_t width = c.transformer.width, positions = components + 1;  // z_t, z_i·z_t, all codes but one
  const bool own_text = c.text_source == prior::PriorText::tokens;
  const int64_t text_width = own_text ? c.text_encoder.transformer.width : c.text_width;
  double forward = transformer_flops(c.transformer, positions, positions + text_length);
  forward += static_cast<double>(c.transformer.layers * text_length) * linear(text_width, 2 * width);
  forward += linear(c.embed_dim, width) + static_cast<double>(components) * linear(width, c.buckets);
  if (own_text) forward += transformer_flops(c.text_encoder.transformer, text_length, text_length);
  return kTraining * forward;
}

std::optional<double> crossing(const std::vector<double>& x, const std::vector<double>& y, double level) {
  for (size_t i = 0; i < x.size(); ++i) {
    if (y[i] > level) continue;
    if (i == 0) return x[0];
    const double share = (y[i - 1] - level) / (y[i - 1] - y[i]);
    return std::exp(std::log(x[i - 1]) + share * (std::log(x[i]) - std::log(x[i - 1])));
  }
  return std::nullopt;
}

}  // namespace unclip::study
