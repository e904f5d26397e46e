// Work on many inputs in batches, with each picture's own noise. Private to this room.
#pragma once
#include <algorithm>
#include <span>

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

/// The same with a unit of progress for every row.
template <class Run>
torch::Tensor in_batches(int64_t count, int64_t batch, Progress& progress, const Run& run) {
  return in_batches(count, batch, [&](int64_t first, int64_t last) {
    progress.throw_if_stopped();
    torch::Tensor rows = run(first, last);
    progress.advance(last - first);
    return rows;
  });
}

inline int64_t batch_count(int64_t count, int64_t batch) { return (count + batch - 1) / batch; }

template <class T>
std::span<const T> part_of(std::span<const T> all, int64_t first, int64_t last) {
  return all.subspan(static_cast<size_t>(first), static_cast<size_t>(last - first));
}

inline std::vector<uint64_t> part_of(const std::vector<uint64_t>& seeds, int64_t first, int64_t last) {
  return {seeds.begin() + first, seeds.begin() + last};
}

inline diffusion::SamplingHooks hooks(NoiseSource noise, Progress& progress) {
  return {.noise = std::move(noise),
          .observer = [&progress](const diffusion::StepReport&) { progress.advance(); },
          .stop = progress.stop()};
}

inline diffusion::SamplingHooks hooks(std::vector<uint64_t> seeds,
                                      const std::string& stage,
                                      Progress& progress) {
  return hooks(picture_noise(std::move(seeds), stage), progress);
}

}  // namespace unclip::pipeline
