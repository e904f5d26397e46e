// Settings that every training run has, whatever the stage.
#pragma once
#include "unclip/base/runtime.h"
#include "unclip/train/lr_schedule.h"
#include "unclip/train/optimizer.h"

namespace unclip::train {

/// Activations and products in bfloat16, float32 or whichever is faster here; weights, optimizer and averages
/// are always float32.
enum class Precision { automatic, bf16, fp32 };

struct TrainConfig {
  int64_t steps = 100000;
  int64_t accumulation = 1;  // batches whose gradients are added up for one update
  int64_t seed = 1;
  Precision precision = Precision::automatic;
  OptimizerConfig optimizer;
  LrScheduleConfig lr;
  int64_t log_every = 20;
  int64_t evaluate_every = 1000;
  int64_t checkpoint_minutes = 5;
  int64_t keep_checkpoints = 2;

  static void fields(auto& self, auto&& field) {
    field("steps", self.steps, "updates in all");
    field("accumulation", self.accumulation, "batches per update");
    field("seed", self.seed, "of weights, data order, noise and dropout");
    field("precision", self.precision, "bf16, fp32 or auto: the faster one here");
    field("optimizer", self.optimizer, "AdamW, Muon for hidden layers where asked");
    field("lr", self.lr, "course of the learning rate");
    field("log_every", self.log_every, "steps between lines of log.jsonl");
    field("evaluate_every", self.evaluate_every, "steps between sample sheets and validation figures");
    field("checkpoint_minutes", self.checkpoint_minutes, "minutes between checkpoints");
    field("keep_checkpoints", self.keep_checkpoints, "checkpoints kept");
  }
  void validate() const;
};

/// `precision`, or what automatic means on this machine.
inline Precision resolved(Precision precision) {
  if (precision != Precision::automatic) return precision;
  return has_fast_bf16() ? Precision::bf16 : Precision::fp32;
}

/// Type of activations.
inline torch::ScalarType compute_type(Precision precision) {
  return resolved(precision) == Precision::bf16 ? torch::kBFloat16 : torch::kFloat32;
}

}  // namespace unclip::train

template <>
struct unclip::EnumNames<unclip::train::Precision> {
  static constexpr std::array<std::pair<train::Precision, std::string_view>, 3> value{
      {{train::Precision::automatic, "auto"},
       {train::Precision::bf16, "bf16"},
       {train::Precision::fp32, "fp32"}}};
};
