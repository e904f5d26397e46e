// Held-out pictures for evaluation during training, in the data set's order.
#pragma once
#include <torch/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "unclip/data/dataset.h"

namespace unclip::train {

inline constexpr int64_t kEvaluationBatch = 128;  // held-out samples that a model sees at a time

struct HeldOut {
  torch::Tensor pictures;             // [N, 3, size, size] in −1…1
  std::vector<std::string> captions;  // each picture's first
};

/// Samples first..last-1 as squares of `size` pixels; in place of a damaged one the next that can be read.
/// Error(data) if none can.
HeldOut load_held_out(const data::Dataset& dataset, int64_t first, int64_t last, int64_t size);

/// Whether at least one picture can be read, without which nothing can be evaluated.
bool has_readable(const data::Dataset& dataset);

/// 0, 1, …: the seeds of what evaluations draw, the same at every step of a run.
std::vector<uint64_t> first_seeds(int64_t count);

/// Share of rows whose own column is among the `k` largest: recall at k of a retrieval, from scores
/// [N, M], N ≤ M.
double recall_at(const torch::Tensor& scores, int64_t k);
/// A sheet of a retrieval from scores [R, M], R ≤ M = dataset.size(): row k has sample k, then the samples
/// that score highest with it, as squares of `size` pixels.
void write_retrieval_sheet(const std::filesystem::path& sheet,
                           const data::Dataset& dataset,
                           const torch::Tensor& scores,
                           int64_t size);

/// uint8 [N, 3, H, W] -> float32 in −1…1.
torch::Tensor to_unit_range(const torch::Tensor& pictures);

}  // namespace unclip::train
