#include "unclip/base/progress.h"

#include <atomic>

#include "unclip/base/error.h"

namespace unclip {
namespace {

std::atomic<bool> stop_flag{false};
static_assert(std::atomic<bool>::is_always_lock_free, "the flag is set from signal handlers");

class SilentProgress final : public Progress {
 public:
  void begin(const std::string& /*stage*/, int64_t /*total*/) override {}
  void advance(int64_t /*units*/) override {}
  void note(const std::string& /*text*/) override {}
  void end() override {}
};

}  // namespace

std::shared_ptr<Progress> silent_progress() { return std::make_shared<SilentProgress>(); }

void request_stop() noexcept { stop_flag.store(true); }
bool stop_requested() noexcept { return stop_flag.load(); }
void throw_if_stopped() { check(!stop_requested(), ErrorKind::interrupted, "stopped by request"); }

}  // namespace unclip
