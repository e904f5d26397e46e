// Settings that every training run has, whatever the stage.
#pragma once
#include "unclip/train/adamw.h"
#include "unclip/train/lr_schedule.h"

namespace unclip::train {

/// Activations and products in bfloat16 or float32; weights, optimizer and averages are always float32.
enum class Precision { bf16, fp32 };

struct TrainConfig {
  int64_t steps = 100000;
  int64_t accumulation = 1;  // batches whose gradients are added up for one update
  int64_t seed = 1;
  Precision precision = Precision::bf16;
  AdamWConfig optimizer;
  LrScheduleConfig lr;
  int64_t log_every = 20;
  int64_t evaluate_every = 1000;
  int64_t checkpoint_minutes = 5;
  int64_t keep_checkpoints = 2;

  static void fields(auto& self, auto&& field) {
    field("steps", self.steps, "updates in all");
    field("accumulation", self.accumulation, "batches per update");
    field("seed", self.seed, "of weights, data order, noise and dropout");
    field("precision", self.precision, "bf16 or fp32");
    field("optimizer", self.optimizer, "AdamW");
    field("lr", self.lr, "course of the learning rate");
    field("log_every", self.log_every, "steps between lines of log.jsonl");
    field("evaluate_every", self.evaluate_every, "steps between sample sheets and validation figures");
    field("checkpoint_minutes", self.checkpoint_minutes, "minutes between checkpoints");
    field("keep_checkpoints", self.keep_checkpoints, "checkpoints kept");
  }
  void validate() const;
};

/// Type of activations.
inline torch::ScalarType compute_type(Precision precision) {
  return precision == Precision::bf16 ? torch::kBFloat16 : torch::kFloat32;
}

}  // namespace unclip::train

template <>
struct unclip::EnumNames<unclip::train::Precision> {
  static constexpr std::array<std::pair<train::Precision, std::string_view>, 2> value{
      {{train::Precision::bf16, "bf16"}, {train::Precision::fp32, "fp32"}}};
};
