// How much arithmetic training a prior takes: multiplications and additions of its products of matrices,
// three times the forward pass (once forward, twice backward). Embeddings, norms and the frozen CLIP, which
// both priors share, are left out.
#pragma once
#include <optional>
#include <vector>

#include "unclip/prior/autoregressive_config.h"
#include "unclip/prior/config.h"

namespace unclip::study {

/// Of a transformer's forward pass over `positions` that attend to `keys` each, causal or not.
double transformer_flops(const nn::TransformerConfig& config, int64_t positions, int64_t keys);

/// Of training with one pair.
double training_flops(const prior::DiffusionPriorConfig& config);
/// `components` are the codes of one z_i, `text_length` the text positions that every layer attends to.
double training_flops(const prior::AutoregressivePriorConfig& config,
                      int64_t components,
                      int64_t text_length);

/// Where the broken line through (x, y), y falling, first reaches `level`, with x on a logarithmic scale; the
/// first x if it is below from the start, none if it never gets there.
std::optional<double> crossing(const std::vector<double>& x, const std::vector<double>& y, double level);

}  // namespace unclip::study
