#include "unclip/train/health.h"

#include <algorithm>
#include <iomanip>
#include <optional>
#include <sstream>

#include "unclip/base/error.h"

namespace unclip::train {
namespace {

constexpr double kTooEarly = 0.25;  // share of a run in which no figure is called ill

std::string number(double value) {
  std::ostringstream text;
  text << std::setprecision(3) << value;
  return text.str();
}

/// The figure called `name`, if it was measured.
std::optional<double> find(const Metrics& metrics, const std::string& name) {
  const auto found = std::ranges::find(metrics, name, &Metrics::value_type::first);
  return found == metrics.end() ? std::nullopt : std::make_optional(found->second);
}

struct Range {
  std::string figure;
  double bound = 0.0;
  bool above = true;  // healthy above the bound, else below
  std::string advice;
};

/// Retrieval that is no better than twice chance has learned nothing. Ten of a few pictures are most of them,
/// and to find one's picture among those says nothing.
Range better_than_chance(int64_t held_out) {
  const int64_t k = held_out > 40 ? 10 : 1;
  const double chance = static_cast<double>(k) / static_cast<double>(std::max<int64_t>(held_out, 1));
  return {join_text("text_to_image_r", k), std::min(0.9, 2.0 * chance), true,
          "new captions do not find their pictures: check that each says what its own picture shows, or add "
          "pictures; those of the folder can be drawn all the same"};
}

std::vector<Range> ranges(const std::string& stage, const Metrics& metrics, int64_t held_out) {
  if (stage == "clip") return {better_than_chance(held_out)};
  if (stage == "prior") {
    return {{"validation_mse", 0.95, false,
             "new captions hardly say what z_i is (1 is no better than the mean): add pictures, or use words "
             "that captions share; those of the folder can be drawn all the same"}};
  }
  if (stage == "decoder") {
    return {
        {"drawn_cosine", 0.3, true,
         "drawings do not look like their pictures yet: train longer, or lower the learning rate if the loss "
         "rises"}};
  }
  return {{"psnr", find(metrics, "psnr_of_enlarging").value_or(0.0) - 0.5, true,
           "no better than plain enlargement: train longer"}};
}

}  // namespace

std::vector<Verdict> judge(const std::string& stage,
                           const Metrics& metrics,
                           double progress,
                           int64_t held_out) {
  std::vector<Verdict> verdicts;
  for (const Range& range : ranges(stage, metrics, held_out)) {
    const std::optional<double> value = find(metrics, range.figure);
    if (!value) {
      verdicts.push_back({true, join_text("no ", range.figure, ": no held-out picture can be read")});
      continue;
    }
    const bool inside = range.above ? *value > range.bound : *value < range.bound;
    const std::string healthy =
        join_text(range.figure, " ", number(*value), " (healthy: ", range.above ? "above " : "below ",
                  number(range.bound), ")");
    const bool ill = !inside && progress > kTooEarly;
    verdicts.push_back({!ill, ill ? healthy + ": " + range.advice : healthy});
  }
  return verdicts;
}

}  // namespace unclip::train
