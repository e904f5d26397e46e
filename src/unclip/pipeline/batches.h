// Work on many pictures in batches, with each picture's own noise. Private to this room.
#pragma once
#include <algorithm>

#include "unclip/base/progress.h"
#include "unclip/diffusion/sampler.h"

namespace unclip::pipeline {

inline constexpr int64_t kBatch = 16;  // pictures drawn together: enough to fill the cores, little memory

/// Calls run(first, last) for the rows of each batch and joins what it returns.
template <class Run>
torch::Tensor in_batches(int64_t count, int64_t batch, const Run& run) {
  std::vector<torch::Tensor> parts;
  for (int64_t first = 0; first < count; first += batch)
    parts.push_back(run(first, std::min(first + batch, count)));
  return torch::cat(parts);
}

inline int64_t batch_count(int64_t count, int64_t batch) { return (count + batch - 1) / batch; }

inline std::vector<uint64_t> part_of(const std::vector<uint64_t>& seeds, int64_t first, int64_t last) {
  return {seeds.begin() + first, seeds.begin() + last};
}

inline diffusion::SamplingHooks hooks(NoiseSource noise, Progress& progress) {
  return {.noise = std::move(noise),
          .observer = [&progress](const diffusion::StepReport&) { progress.advance(); }};
}

inline diffusion::SamplingHooks hooks(std::vector<uint64_t> seeds,
                                      const std::string& stage,
                                      Progress& progress) {
  return hooks(picture_noise(std::move(seeds), stage), progress);
}

}  // namespace unclip::pipeline
