#include "unclip/eval/comparison.h"

#include <algorithm>

#include "unclip/eval/clip_score.h"
#include "unclip/eval/fid.h"
#include "unclip/eval/retrieval.h"

namespace unclip::eval {
namespace {

constexpr int64_t kCaptionBatch = 128;

Estimate recall_estimate(const torch::Tensor& ranks, int64_t k, const BootstrapOptions& options) {
  return bootstrap_mean(ranks.le(k), options);
}

}  // namespace

Comparison compare(const FeatureSet& drawn, const FeatureSet& real, uint64_t seed) {
  check_comparable(drawn, real);
  for (const FeatureSet* set : {&drawn, &real}) {
    check(set->count() >= kFewestPictures, ErrorKind::data, "a set has ", set->count(),
          " usable pictures, expected at least ", kFewestPictures, ": the ", kNeighbours,
          " nearest neighbours of each are looked for");
  }
  const torch::Tensor &x = drawn.features, &y = real.features;
  const BootstrapOptions options{.seed = seed};
  Comparison result{.drawn = drawn.count(), .real = real.count(), .width = x.size(1)};
  result.frechet_distance = frechet_distance(fit_gaussian(x), fit_gaussian(y));
  result.is_biased = is_biased(result.drawn, result.real, result.width);
  result.kernel_distance = kernel_distance(x, y, {.seed = seed});
  const Manifolds manifolds = compare_manifolds(x, y);
  result.precision = bootstrap_mean(manifolds.precise, options);
  result.recall = bootstrap_mean(manifolds.recalled, options);
  result.density = bootstrap_mean(manifolds.densities, options);
  result.coverage = bootstrap_mean(manifolds.covered, options);
  result.pairwise_distance = mean_pairwise_distance(x);
  result.real_pairwise_distance = mean_pairwise_distance(y);
  return result;
}

CaptionFigures compare_with_captions(const torch::Tensor& z_i, const torch::Tensor& z_t, uint64_t seed) {
  const BootstrapOptions options{.seed = seed};
  const torch::Tensor cosines = pair_cosines(z_i, z_t);
  const torch::Tensor of_picture = retrieval_ranks(z_i, z_t), of_caption = retrieval_ranks(z_t, z_i);
  return {.clip_score = bootstrap_mean(clip_scores(cosines), options),
          .hessel_score = bootstrap_mean(hessel_scores(cosines), options),
          .caption_r1 = recall_estimate(of_picture, 1, options),
          .caption_r5 = recall_estimate(of_picture, 5, options),
          .caption_r10 = recall_estimate(of_picture, 10, options),
          .picture_r1 = recall_estimate(of_caption, 1, options),
          .picture_r5 = recall_estimate(of_caption, 5, options),
          .picture_r10 = recall_estimate(of_caption, 10, options),
          .caption_median_rank = median_rank(of_picture),
          .picture_median_rank = median_rank(of_caption),
          .clip_scores = clip_scores(cosines)};
}

torch::Tensor encode_captions(const pipeline::FrozenClip& clip,
                              const std::vector<std::string>& captions,
                              Progress& progress) {
  const auto count = static_cast<int64_t>(captions.size());
  std::vector<torch::Tensor> parts;
  progress.begin("captions", count);
  for (int64_t first = 0; first < count; first += kCaptionBatch) {
    throw_if_stopped();
    const int64_t last = std::min(first + kCaptionBatch, count);
    const std::vector<std::string> batch(captions.begin() + first, captions.begin() + last);
    parts.push_back(clip.encode_text(batch).z_t.to(torch::kFloat32));
    progress.advance(last - first);
  }
  progress.end();
  return torch::cat(parts);
}

}  // namespace unclip::eval
