// Progress for people: one bar per stage on a terminal, plain lines elsewhere.
//
//   decoder    [==============>         ]  17/27  6.2/s  0:02 left  loss 0.113
#pragma once
#include <functional>
#include <mutex>
#include <ostream>
#include <string>

#include "unclip/base/progress.h"

namespace unclip::cli {

/// What a TerminalProgress knows of the world.
struct Screen {
  bool is_terminal = false;
  std::function<int()> columns;     // its width now
  std::function<double()> seconds;  // a steady clock
};

Screen stderr_screen();

/// "0:07", "12:30", "3:05:00".
std::string duration_text(double seconds);

/// Redraws at most ten times a second; not on a terminal, writes a line at the start, every ten seconds and
/// at the end. Safe to advance from several threads.
class TerminalProgress final : public Progress {
 public:
  TerminalProgress(std::ostream& out, Screen screen, StopToken stop = {});
  /// A stage that was left by an exception keeps its last state on a line of its own.
  ~TerminalProgress() override;
  TerminalProgress(const TerminalProgress&) = delete;
  TerminalProgress& operator=(const TerminalProgress&) = delete;

  void begin(const std::string& stage, int64_t total) override;
  void advance(int64_t units = 1) override;
  void note(const std::string& text) override;
  void end() override;

 private:
  struct Mark {
    double seconds = 0;
    int64_t done = 0;
  };

  void draw();
  double rate(double now) const;
  std::string figures(double now) const;
  std::string bar_line(double now) const;

  std::mutex mutex_;
  std::ostream& out_;
  Screen screen_;
  std::string stage_;  // empty between stages
  std::string note_;
  int64_t total_ = 0, done_ = 0;
  double started_ = 0, drawn_ = 0;
  bool measuring_ = false;  // from the first advance on, which may be a resumed run's jump
  Mark mark_, next_mark_;   // the rate is measured since mark_, 30 to 60 seconds ago in long stages
};

}  // namespace unclip::cli
