// What the study does within its budget: training steps and sample counts, from how fast this machine is.
#pragma once
#include <cstdint>
#include <string>

namespace unclip::study {

/// Seconds of this machine, measured in short trials (speeds.h).
struct Speeds {
  double prior_step = 0, ar_prior_step = 0, decoder_step = 0;  // a training step of each small model
  double picture = 0;                                          // drawing one with the given model

  static void fields(auto& self, auto&& field) {
    field("prior_step", self.prior_step, "seconds of a training step of the diffusion prior");
    field("ar_prior_step", self.ar_prior_step, "seconds of a training step of the autoregressive prior");
    field("decoder_step", self.decoder_step, "seconds of a training step of a decoder");
    field("picture", self.picture, "seconds of drawing a picture");
  }
};

struct Plan {
  double hours = 0;
  Speeds speeds;
  int64_t prior_steps = 0, ar_prior_steps = 0;  // of the longest runs: equal seconds
  int64_t decoder_steps = 0;                    // of each of two decoders
  int64_t pictures = 0;                         // drawn per setting that is compared by its distribution
  int64_t subjects = 0;                         // pictures that are manipulated

  static void fields(auto& self, auto&& field) {
    field("hours", self.hours, "the budget");
    field("speeds", self.speeds, "what it was derived from");
    field("prior_steps", self.prior_steps, "training steps of the diffusion prior");
    field("ar_prior_steps", self.ar_prior_steps, "training steps of the autoregressive prior");
    field("decoder_steps", self.decoder_steps, "training steps of each of the two decoders");
    field("pictures", self.pictures, "pictures drawn per setting");
    field("subjects", self.subjects, "pictures that are manipulated");
  }
};

/// Divides `hours` among decoders (45 %), priors (20 %), drawings (20 %) and manipulations (10 %); the rest
/// is for features and figures. `test_pictures` are how many there are. However small the budget, every part
/// keeps the least that can be measured at all.
Plan make_plan(const Speeds& speeds, double hours, int64_t test_pictures);

}  // namespace unclip::study
