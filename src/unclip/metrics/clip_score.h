// How well pictures fit their captions, by CLIP.
#pragma once
#include <torch/types.h>

namespace unclip::metrics {

/// Cosine of each row of z_i [N, D] with the same row of z_t: float64 [N].
torch::Tensor pair_cosines(const torch::Tensor& z_i, const torch::Tensor& z_t);

/// 100 · cos, as in GLIDE (Nichol et al. 2021, §5.1); its mean is the CLIP score.
inline torch::Tensor clip_scores(const torch::Tensor& cosines) { return 100 * cosines; }
/// CLIPScore: 2.5 · max(cos, 0) (Hessel et al. 2021, Eq. 1; meant for captions after "A photo depicts").
inline torch::Tensor hessel_scores(const torch::Tensor& cosines) { return 2.5 * cosines.clamp_min(0); }

/// How different pictures are from each other: mean over all pairs of different rows of 1 − cos. Error(data)
/// for fewer than two.
double mean_pairwise_distance(const torch::Tensor& features);

}  // namespace unclip::metrics
