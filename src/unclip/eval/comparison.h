// All figures of a set of drawn pictures against real ones, and against their captions.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "unclip/eval/feature_set.h"
#include "unclip/metrics/kid.h"
#include "unclip/metrics/manifold.h"
#include "unclip/metrics/resample.h"

namespace unclip::eval {

/// How pictures and captions find each other (eval/clip_score.h, eval/retrieval.h).
struct CaptionMetrics {
  metrics::Estimate clip_score, hessel_score;
  metrics::Estimate caption_r1, caption_r5, caption_r10;  // a picture finds its caption among all
  metrics::Estimate picture_r1, picture_r5, picture_r10;  // a caption finds its picture among all
  double caption_median_rank = 0, picture_median_rank = 0;
  torch::Tensor clip_scores;  // of each picture
};

struct Comparison {
  int64_t drawn = 0, real = 0, width = 0;
  double frechet_distance = 0;
  bool is_biased = false;  // too few pictures for the Fréchet distance
  metrics::KernelDistance kernel_distance;
  metrics::Estimate precision, recall, density, coverage;
  double pairwise_distance = 0, real_pairwise_distance = 0;
  std::optional<CaptionMetrics> captions;
  std::vector<std::pair<std::string, metrics::Estimate>> probes;  // mean of what each linear probe says
};

/// Pictures that a set needs: each looks for its k = 3 nearest neighbours (eval/manifold.h).
inline constexpr int64_t kFewestPictures = metrics::kNeighbours + 1;

/// Error(data) unless both sets come from one network and have at least kFewestPictures pictures.
Comparison compare(const FeatureSet& drawn,
                   const FeatureSet& real,
                   uint64_t seed,
                   const StopToken& stop = {});

/// `z_i` and `z_t`, [N, D] each: row k of one belongs to row k of the other.
CaptionMetrics compare_with_captions(const torch::Tensor& z_i,
                                     const torch::Tensor& z_t,
                                     uint64_t seed,
                                     const StopToken& stop = {});

}  // namespace unclip::eval
