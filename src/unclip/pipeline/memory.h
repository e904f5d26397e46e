// Drawing within a budget of memory: what each stage needs, and how its weights leave memory again. Weights
// are mapped from their files; layers keep a copy in the layout that the processor wants (nn/packed.h), so
// that a page of the file is read once.
#pragma once
#include <condition_variable>
#include <mutex>
#include <thread>

#include "unclip/nn/layer.h"
#include "unclip/pipeline/plan.h"

namespace unclip::pipeline {

/// Bytes of the program and its libraries without any model.
inline constexpr int64_t kProgramBytes = int64_t{320} << 20;

/// An estimate from configurations, a little more than what is measured.
struct StageNeed {
  std::string stage;
  int64_t weights = 0;    // bytes of its networks, or of the larger one where they run in turn
  int64_t both_nets = 0;  // of all its networks together
  int64_t working = 0;    // bytes per picture that is drawn at the same time

  int64_t least() const { return kProgramBytes + weights + working; }
};

/// Bytes that a network's weights take in memory once it has run.
int64_t stored_bytes(const torch::nn::Module& module, torch::ScalarType dtype);
template <class Net, class Config, class... Arguments>
int64_t weight_bytes(const Config& config, torch::ScalarType dtype, Arguments... arguments) {
  const nn::ParameterDevice shapes_only(torch::kMeta);
  return stored_bytes(*Net(config, arguments...), dtype);
}

/// Of the stages that the plan runs, in their order, with the encoder first.
std::vector<StageNeed> stage_needs(const model::Model& model, const Plan& plan, torch::ScalarType dtype);

/// Error(usage) that says what is needed in float32 and in bfloat16, unless the largest stage fits in
/// `budget` bytes.
void check_budget(const model::Model& model, const Plan& plan, torch::ScalarType dtype, int64_t budget);

/// How many pictures may be drawn at a time, 1 to `usual`.
int64_t batch_within(const StageNeed& need, int64_t budget, int64_t usual);

/// check_budget, then smaller batches and nets that take turns where that is needed. Pictures stay the same.
void fit_to_budget(const model::Model& model, torch::ScalarType dtype, int64_t budget, Plan& plan);

/// Gives memory that was freed, but is kept for reuse, back to the system.
void return_free_memory();

/// Gives the pages of mapped weights back to the system again and again while networks read them. A page that
/// is needed after all is read again.
class PageReleaser {
 public:
  PageReleaser();
  ~PageReleaser();
  PageReleaser(const PageReleaser&) = delete;
  PageReleaser& operator=(const PageReleaser&) = delete;
  /// Tensors on mapped files, to which nobody may write; they are forgotten when nobody else has them.
  void add(const std::vector<torch::Tensor>& weights);
  void release();

 private:
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::vector<c10::weak_intrusive_ptr<c10::StorageImpl>> weights_{};
  std::jthread thread_;
};

}  // namespace unclip::pipeline
