#include "apps/cli/signals.h"

#include <unistd.h>

#include <csignal>

namespace unclip::cli {
namespace {

volatile std::sig_atomic_t first_signal = SIGINT;
const StopSource* stop_source = nullptr;  // set before the handler is

/// Only calls that are safe in a signal handler.
void on_signal(int signal) {
  if (stop_source->stop_requested()) _exit(128 + signal);
  first_signal = signal;
  stop_source->request_stop();
  constexpr char kNotice[] = "\nunclip: stopping after this step; a second Ctrl-C ends at once\n";
  [[maybe_unused]] const auto written = write(STDERR_FILENO, kNotice, sizeof kNotice - 1);
}

}  // namespace

StopToken stop_on_signals() {
  static const StopSource source;
  stop_source = &source;
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGINT, SIGTERM}) sigaction(signal, &action, nullptr);
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is then an error of write(), which says so
  return source.token();
}

int stop_signal() noexcept { return first_signal; }

}  // namespace unclip::cli
