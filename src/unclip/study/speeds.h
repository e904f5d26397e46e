// How fast this machine trains and draws, measured before a budget is divided.
#pragma once
#include "unclip/study/lab.h"

namespace unclip::study {

/// A few training steps of each small model, and a few pictures.
Speeds measure_speeds(Lab& lab);

}  // namespace unclip::study
