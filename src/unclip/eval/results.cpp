#include <cmath>
#include <nlohmann/json.hpp>

#include "unclip/eval/evaluation.h"

namespace unclip::eval {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const metrics::Estimate& e) { return {{"value", e.value}, {"low", e.low}, {"high", e.high}}; }

Json to_json(const CaptionMetrics& c) {
  return {{"clip_score", to_json(c.clip_score)},
          {"clipscore_hessel", to_json(c.hessel_score)},
          {"picture_finds_caption",
           {{"r1", to_json(c.caption_r1)},
            {"r5", to_json(c.caption_r5)},
            {"r10", to_json(c.caption_r10)},
            {"median_rank", c.caption_median_rank}}},
          {"caption_finds_picture",
           {{"r1", to_json(c.picture_r1)},
            {"r5", to_json(c.picture_r5)},
            {"r10", to_json(c.picture_r10)},
            {"median_rank", c.picture_median_rank}}}};
}

Json to_json(const Point& point) {
  const Comparison& c = point.comparison;
  Json json{{"name", point.name}};
  if (point.guidance) json["guidance"] = *point.guidance;
  json.update({{"sources", point.sources},
               {"pictures", c.drawn},
               {"damaged", point.set.damaged},
               {"fid", {{"value", c.frechet_distance}, {"biased", c.is_biased}}},
               {"kid",
                {{"value", c.kernel_distance.value},
                 {"standard_error", c.kernel_distance.standard_error},
                 {"subset_size", c.kernel_distance.subset_size}}},
               {"precision", to_json(c.precision)},
               {"recall", to_json(c.recall)},
               {"density", to_json(c.density)},
               {"coverage", to_json(c.coverage)},
               {"pairwise_distance", c.pairwise_distance}});
  if (c.captions) json["captions"] = to_json(*c.captions);
  for (const auto& [name, estimate] : c.probes) json["probes"][name] = to_json(estimate);
  return json;
}

}  // namespace

std::string results_json(const Evaluation& evaluation, const std::string& command) {
  const FeatureSet& real = evaluation.real;
  Json json{{"format", "unclip.evaluation.1"},
            {"command", command},
            {"features", {{"name", evaluation.features}, {"width", real.features.size(1)}}},
            {"clip", evaluation.clip},
            {"real", {{"pictures", real.count()}, {"damaged", real.damaged}}},
            {"points", Json::array()},
            {"warnings", evaluation.warnings}};
  json["real"]["pairwise_distance"] = evaluation.points.front().comparison.real_pairwise_distance;
  for (const Point& point : evaluation.points) json["points"].push_back(to_json(point));
  for (const GivenProbe& given : evaluation.probes) {
    // A quality that could not be measured is not a number, which JSON writes as null.
    json["probes"].push_back(
        {{"name", given.name}, {"examples", given.examples}, {"held_out_quality", given.quality}});
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace unclip::eval
