// Fréchet distance between Gaussians fitted to features: FID when they are Inception's (Heusel et al. 2017,
// Eq. 6; unCLIP §5.1, §5.4).
#pragma once
#include "unclip/metrics/moments.h"

namespace unclip::metrics {

/// ‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2 (Σ₁Σ₂)^{1/2}), in float64. Error(shape) for Gaussians of different widths.
double frechet_distance(const Gaussian& a, const Gaussian& b);

/// Whether sets of `a` and `b` pictures are too few for `width` feature dimensions: their covariances are
/// then singular, and the distance is too large, the more so the fewer they are.
inline bool is_biased(int64_t a, int64_t b, int64_t width) { return a <= width || b <= width; }

}  // namespace unclip::metrics
