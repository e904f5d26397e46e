// Asking long work to stop at its next step. One StopSource per request; whoever works for the request holds
// its token. std::stop_source is not safe in a signal handler, which is where Ctrl-C comes from.
#pragma once
#include <atomic>
#include <memory>

namespace unclip {

class StopToken {
 public:
  StopToken() = default;  // of work that nobody stops
  bool stop_requested() const noexcept { return flag_ != nullptr && flag_->load(); }
  /// Throws Error(interrupted) if a stop was requested: called once per step by samplers and loaders.
  void throw_if_stopped() const;

 private:
  friend class StopSource;
  explicit StopToken(std::shared_ptr<const std::atomic<bool>> flag) : flag_(std::move(flag)) {}
  std::shared_ptr<const std::atomic<bool>> flag_;
};

class StopSource {
 public:
  StopSource() : flag_(std::make_shared<std::atomic<bool>>(false)) {}
  /// Safe to call from any thread and from a signal handler.
  void request_stop() const noexcept { flag_->store(true); }
  bool stop_requested() const noexcept { return flag_->load(); }
  StopToken token() const { return StopToken(flag_); }

 private:
  static_assert(std::atomic<bool>::is_always_lock_free, "the flag is set from signal handlers");
  std::shared_ptr<std::atomic<bool>> flag_;
};

}  // namespace unclip
