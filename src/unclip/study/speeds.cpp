#include "unclip/study/speeds.h"

#include <chrono>
#include <numeric>

#include "unclip/study/training.h"

namespace unclip::study {
namespace {

constexpr int64_t kSteps = 8;
constexpr int64_t kPictures = 16;

double seconds_per_step(const Lab& lab, const std::string& stage) {
  TrainingOrder order{.name = "trial-" + stage, .stage = stage, .steps = kSteps};
  if (stage == "ar_prior") order.settings = {"fit_pictures=256"};
  return train(lab, order).seconds / static_cast<double>(kSteps);
}

double seconds_per_picture(Lab& lab) {
  pipeline::GenerateRequest request{
      .captions = {}, .seeds = std::vector<uint64_t>(size_t{kPictures}), .sampling = {.size = lab.side()}};
  for (int64_t i = 0; i < kPictures; ++i)
    request.captions.push_back(lab.test().captions(i % lab.test().size()).front());
  std::iota(request.seeds.begin(), request.seeds.end(), 0);
  const auto start = std::chrono::steady_clock::now();
  lab.model().generate(request, lab.progress());
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() /
         static_cast<double>(kPictures);
}

}  // namespace

Speeds measure_speeds(Lab& lab) {
  return {.prior_step = seconds_per_step(lab, "prior"),
          .ar_prior_step = seconds_per_step(lab, "ar_prior"),
          .decoder_step = seconds_per_step(lab, "decoder"),
          .picture = seconds_per_picture(lab)};
}

}  // namespace unclip::study
