// How long work reports itself: the library calls a Progress, programs decide what a person sees.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

namespace unclip {

class Progress {
 public:
  virtual ~Progress() = default;
  /// A stage of `total` units begins ("prior", "decoder", "up-256", …).
  virtual void begin(const std::string& stage, int64_t total) = 0;
  virtual void advance(int64_t units = 1) = 0;
  /// Extra figures shown beside the bar, for instance "loss 0.113".
  virtual void note(const std::string& text) = 0;
  virtual void end() = 0;
};

/// Reports nothing.
std::shared_ptr<Progress> silent_progress();

/// Asks all long work of this process to stop at its next step; safe to call from a signal handler.
void request_stop() noexcept;
bool stop_requested() noexcept;
/// Throws Error(interrupted) if a stop was requested: called once per step by samplers and loaders.
void throw_if_stopped();

}  // namespace unclip
