// What the stages of a drawing took.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "unclip/base/progress.h"

namespace unclip::cli {

struct StageRecord {
  std::string stage;
  int64_t steps = 0;
  double load_seconds = 0;  // since the stage before, or since the start: opening, encoding, loading
  double seconds = 0;       // of its steps
  int64_t peak_memory = 0;  // of the process until its end, in bytes
};

/// Hands everything on and keeps a record of each stage.
class StageLog final : public Progress {
 public:
  explicit StageLog(std::shared_ptr<Progress> next);

  void begin(const std::string& stage, int64_t total) override;
  void advance(int64_t units) override { next_->advance(units); }
  void note(const std::string& text) override { next_->note(text); }
  void end() override;
  const std::vector<StageRecord>& records() const { return records_; }

 private:
  double seconds_since_mark();

  std::shared_ptr<Progress> next_;
  double mark_;
  std::vector<StageRecord> records_{};
};

}  // namespace unclip::cli
