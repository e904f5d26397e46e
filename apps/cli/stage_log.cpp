#include "apps/cli/stage_log.h"

#include <chrono>
#include <utility>

#include "unclip/base/runtime.h"

namespace unclip::cli {
namespace {

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

StageLog::StageLog(std::shared_ptr<Progress> next)
    : Progress(next->stop()), next_(std::move(next)), mark_(steady_seconds()) {}

double StageLog::seconds_since_mark() {
  const double now = steady_seconds();
  return now - std::exchange(mark_, now);
}

void StageLog::begin(const std::string& stage, int64_t total) {
  records_.push_back({.stage = stage, .steps = total, .load_seconds = seconds_since_mark()});
  next_->begin(stage, total);
}

void StageLog::end() {
  records_.back().seconds = seconds_since_mark();
  records_.back().peak_memory = peak_memory();
  next_->end();
}

}  // namespace unclip::cli
