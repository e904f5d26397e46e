// Ctrl-C and SIGTERM stop long work at its next step; a second one ends the program at once.
#pragma once

namespace unclip::cli {

void stop_on_signals();

/// The signal that asked to stop; SIGINT if the work was stopped otherwise.
int stop_signal() noexcept;

}  // namespace unclip::cli
