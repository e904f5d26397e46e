// The order in which training sees samples: a pure function of (seed, epoch), shared out among ranks.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace unclip::data {

/// One appearance of a sample. `position` is its place in the whole epoch, over all ranks.
struct Visit {
  int64_t sample;
  int64_t position;
};

/// How often a sample of weight w ≥ 0 appears in `epoch`: ⌊w(e+1) + φ⌋ − ⌊we + φ⌋, so that weight 0.2 appears
/// in exactly one of any five epochs, weight 3 three times in each. φ in [0, 1) is the sample's phase.
int64_t visits_in_epoch(double weight, int64_t epoch, double phase);

/// The shuffled visits of an epoch over all ranks. Phases are spread evenly (golden ratio), so epochs of
/// weighted samples are about equally long.
std::vector<Visit> epoch_order(std::span<const double> weights, uint64_t seed, int64_t epoch);

/// The visits of `rank`: every world_size-th, the same number for every rank (a remainder is left out).
std::vector<Visit> rank_share(const std::vector<Visit>& order, int64_t rank, int64_t world_size);

}  // namespace unclip::data
