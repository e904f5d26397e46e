#include "apps/cli/terminal_progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <sstream>
#include <utility>

namespace unclip::cli {
namespace {

constexpr double kRedraw = 0.1, kPlainLine = 10, kRateWindow = 30;  // seconds
constexpr int kWidestBar = 40, kNarrowestBar = 8;

int stderr_columns() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string rate_text(double rate) {
  char text[32];
  std::snprintf(text, sizeof text, rate >= 100 ? "%.0f/s" : "%.1f/s", rate);
  if (rate < 1) std::snprintf(text, sizeof text, "%.1f s each", 1 / rate);
  return text;
}

/// At most `columns` characters of UTF-8 `text`.
std::string cut(const std::string& text, int columns) {
  int seen = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool continues = (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80;
    if (!continues && ++seen > columns) return text.substr(0, i);
  }
  return text;
}

}  // namespace

Screen stderr_screen() { return {isatty(STDERR_FILENO) == 1, stderr_columns, steady_seconds}; }

std::string duration_text(double seconds) {
  const auto whole = std::llround(seconds);
  char text[48];
  if (whole < 3600) {
    std::snprintf(text, sizeof text, "%lld:%02lld", whole / 60, whole % 60);
  } else {
    std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60, whole % 60);
  }
  return text;
}

TerminalProgress::TerminalProgress(std::ostream& out, Screen screen, StopToken stop)
    : Progress(std::move(stop)), out_(out), screen_(std::move(screen)) {}

TerminalProgress::~TerminalProgress() {
  if (!stage_.empty() && screen_.is_terminal) out_ << "\n" << std::flush;
}

void TerminalProgress::begin(const std::string& stage, int64_t total) {
  const std::lock_guard lock(mutex_);
  stage_ = stage;
  note_.clear();
  total_ = total;
  done_ = 0;
  measuring_ = false;
  started_ = screen_.seconds();
  draw();
}

void TerminalProgress::advance(int64_t units) {
  const std::lock_guard lock(mutex_);
  done_ += units;
  const double now = screen_.seconds();
  if (!measuring_) {
    measuring_ = true;
    mark_ = next_mark_ = {now, done_};
  } else if (now - next_mark_.seconds >= kRateWindow) {
    mark_ = std::exchange(next_mark_, {now, done_});
  }
  if (now - drawn_ >= (screen_.is_terminal ? kRedraw : kPlainLine)) draw();
}

void TerminalProgress::note(const std::string& text) {
  const std::lock_guard lock(mutex_);
  note_ = text;
}

void TerminalProgress::end() {
  const std::lock_guard lock(mutex_);
  const std::string line = stage_ + ": " + std::to_string(done_) + " in " +
                           duration_text(screen_.seconds() - started_) + (note_.empty() ? "" : ", " + note_);
  out_ << (screen_.is_terminal ? "\r\x1b[K" : "") << line << "\n" << std::flush;
  stage_.clear();
}

void TerminalProgress::draw() {
  drawn_ = screen_.seconds();
  if (screen_.is_terminal) {
    out_ << '\r' << cut(bar_line(drawn_), screen_.columns() - 1) << "\x1b[K" << std::flush;
  } else {
    out_ << stage_ << ": " << figures(drawn_) << "\n" << std::flush;
  }
}

/// Units per second, or 0 while unknown.
double TerminalProgress::rate(double now) const {
  const bool known = measuring_ && done_ > mark_.done && now > mark_.seconds;
  return known ? static_cast<double>(done_ - mark_.done) / (now - mark_.seconds) : 0;
}

std::string TerminalProgress::figures(double now) const {
  std::ostringstream text;
  text << done_;
  if (total_ > 0) text << '/' << total_;
  const double per_second = rate(now);
  if (per_second > 0) text << "  " << rate_text(per_second);
  if (per_second > 0 && total_ > done_) {
    text << "  " << duration_text(static_cast<double>(total_ - done_) / per_second) << " left";
  }
  if (!note_.empty()) text << "  " << note_;
  return text.str();
}

std::string TerminalProgress::bar_line(double now) const {
  const std::string name = stage_ + std::string(stage_.size() < 10 ? 10 - stage_.size() : 0, ' ');
  const std::string text = figures(now);
  const int room = screen_.columns() - 1 - static_cast<int>(name.size() + text.size()) - 5;
  if (total_ <= 0 || room < kNarrowestBar) return name + " " + text;
  const int width = std::min(room, kWidestBar);
  const double share = std::clamp(static_cast<double>(done_) / static_cast<double>(total_), 0.0, 1.0);
  const int filled = static_cast<int>(share * width);
  const std::string head = filled < width ? ">" : "";
  return name + " [" + std::string(filled, '=') + head + std::string(width - filled - head.size(), ' ') +
         "]  " + text;
}

}  // namespace unclip::cli
