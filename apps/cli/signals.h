// Ctrl-C and SIGTERM stop long work at its next step; a second one ends the program at once.
#pragma once
#include "unclip/base/stop.h"

namespace unclip::cli {

/// The token of all that this process does.
StopToken stop_on_signals();

/// The signal that asked to stop; SIGINT if the work was stopped otherwise.
int stop_signal() noexcept;

}  // namespace unclip::cli
