#include "unclip/eval/comparison.h"

#include <algorithm>

#include "unclip/metrics/clip_score.h"
#include "unclip/metrics/fid.h"
#include "unclip/metrics/retrieval.h"

namespace unclip::eval {
namespace {

metrics::Estimate recall_estimate(const torch::Tensor& ranks,
                                  int64_t k,
                                  const metrics::BootstrapOptions& options) {
  return metrics::bootstrap_mean(ranks.le(k), options);
}

}  // namespace

Comparison compare(const FeatureSet& drawn, const FeatureSet& real, uint64_t seed, const StopToken& stop) {
  check_comparable(drawn, real);
  for (const FeatureSet* set : {&drawn, &real}) {
    check(set->count() >= kFewestPictures, ErrorKind::data, "a set has ", set->count(),
          " usable pictures, expected at least ", kFewestPictures, ": the ", metrics::kNeighbours,
          " nearest neighbours of each are looked for");
  }
  const torch::Tensor &x = drawn.features, &y = real.features;
  const metrics::BootstrapOptions options{.seed = seed};
  Comparison result{.drawn = drawn.count(), .real = real.count(), .width = x.size(1)};
  result.frechet_distance = metrics::frechet_distance(metrics::fit_gaussian(x), metrics::fit_gaussian(y));
  result.is_biased = metrics::is_biased(result.drawn, result.real, result.width);
  result.kernel_distance = metrics::kernel_distance(x, y, {.seed = seed, .stop = stop});
  const metrics::Manifolds manifolds = metrics::compare_manifolds(x, y, metrics::kNeighbours, stop);
  result.precision = metrics::bootstrap_mean(manifolds.precise, options);
  result.recall = metrics::bootstrap_mean(manifolds.recalled, options);
  result.density = metrics::bootstrap_mean(manifolds.densities, options);
  result.coverage = metrics::bootstrap_mean(manifolds.covered, options);
  result.pairwise_distance = metrics::mean_pairwise_distance(x);
  result.real_pairwise_distance = metrics::mean_pairwise_distance(y);
  return result;
}

CaptionMetrics compare_with_captions(const torch::Tensor& z_i,
                                     const torch::Tensor& z_t,
                                     uint64_t seed,
                                     const StopToken& stop) {
  const metrics::BootstrapOptions options{.seed = seed};
  const torch::Tensor cosines = metrics::pair_cosines(z_i, z_t);
  const torch::Tensor of_picture = metrics::retrieval_ranks(z_i, z_t, stop),
                      of_caption = metrics::retrieval_ranks(z_t, z_i, stop);
  return {.clip_score = metrics::bootstrap_mean(metrics::clip_scores(cosines), options),
          .hessel_score = metrics::bootstrap_mean(metrics::hessel_scores(cosines), options),
          .caption_r1 = recall_estimate(of_picture, 1, options),
          .caption_r5 = recall_estimate(of_picture, 5, options),
          .caption_r10 = recall_estimate(of_picture, 10, options),
          .picture_r1 = recall_estimate(of_caption, 1, options),
          .picture_r5 = recall_estimate(of_caption, 5, options),
          .picture_r10 = recall_estimate(of_caption, 10, options),
          .caption_median_rank = metrics::median_rank(of_picture),
          .picture_median_rank = metrics::median_rank(of_caption),
          .clip_scores = metrics::clip_scores(cosines)};
}

}  // namespace unclip::eval
