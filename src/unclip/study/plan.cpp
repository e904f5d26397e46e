#include "unclip/study/plan.h"

#include <algorithm>
#include <cmath>

namespace unclip::study {
namespace {

constexpr double kDecoders = 0.45, kPriors = 0.20, kDrawings = 0.20, kManipulations = 0.10;
constexpr double kPriorLengths =
    1.75;  // a whole run, one of half its length, one of a quarter (claims/priors)
constexpr double kSettings =
    17;  // sets that are drawn: 2 priors × 3 runs, 3 conditions, 2 decoders × 4 scales
constexpr double kDrawsPerSubject = 30;  // inversions, variations, edits and probes of one picture
constexpr int64_t kFewestSteps = 16;
constexpr int64_t kFewestPictures = 16, kMostPictures = 2000;
constexpr int64_t kFewestSubjects = 8, kMostSubjects = 200;

int64_t steps_within(double seconds, double step) {
  return std::max(kFewestSteps, static_cast<int64_t>(std::floor(seconds / std::max(step, 1e-9))));
}

int64_t pictures_within(double seconds, double picture, int64_t fewest, int64_t most) {
  return std::clamp(static_cast<int64_t>(std::floor(seconds / std::max(picture, 1e-9))), fewest, most);
}

}  // namespace

Plan make_plan(const Speeds& speeds, double hours, int64_t test_pictures) {
  const double seconds = hours * 3600, per_prior = kPriors * seconds / 2 / kPriorLengths;
  const int64_t most_subjects = std::max(kFewestSubjects, std::min(kMostSubjects, test_pictures));
  return {.hours = hours,
          .speeds = speeds,
          .prior_steps = steps_within(per_prior, speeds.prior_step),
          .ar_prior_steps = steps_within(per_prior, speeds.ar_prior_step),
          .decoder_steps = steps_within(kDecoders * seconds / 2, speeds.decoder_step),
          .pictures = pictures_within(kDrawings * seconds / kSettings, speeds.picture, kFewestPictures,
                                      kMostPictures),
          .subjects = pictures_within(kManipulations * seconds / kDrawsPerSubject, speeds.picture,
                                      kFewestSubjects, most_subjects)};
}

}  // namespace unclip::study
