// How long work reports itself and learns that it shall stop: the library calls a Progress, programs decide
// what a person sees. One Progress belongs to one request.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "unclip/base/stop.h"

namespace unclip {

class Progress {
 public:
  explicit Progress(StopToken stop = {}) : stop_(std::move(stop)) {}
  virtual ~Progress() = default;
  /// A stage of `total` units begins ("prior", "decoder", "up-256", …).
  virtual void begin(const std::string& stage, int64_t total) = 0;
  virtual void advance(int64_t units = 1) = 0;
  /// Extra text shown beside the bar, for instance "loss 0.113".
  virtual void note(const std::string& text) = 0;
  virtual void end() = 0;

  const StopToken& stop() const { return stop_; }
  void throw_if_stopped() const { stop_.throw_if_stopped(); }

 private:
  StopToken stop_;
};

/// Reports nothing.
std::shared_ptr<Progress> silent_progress(StopToken stop = {});

}  // namespace unclip
