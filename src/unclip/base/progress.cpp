#include "unclip/base/progress.h"

#include "unclip/base/error.h"

namespace unclip {
namespace {

class SilentProgress final : public Progress {
 public:
  using Progress::Progress;
  void begin(const std::string& /*stage*/, int64_t /*total*/) override {}
  void advance(int64_t /*units*/) override {}
  void note(const std::string& /*text*/) override {}
  void end() override {}
};

}  // namespace

void StopToken::throw_if_stopped() const {
  check(!stop_requested(), ErrorKind::interrupted, "stopped by request");
}

std::shared_ptr<Progress> silent_progress(StopToken stop) {
  return std::make_shared<SilentProgress>(std::move(stop));
}

}  // namespace unclip
