// Errors as a person sees them: one sentence on stderr and an exit code.
#pragma once
#include <ostream>

#include "unclip/base/error.h"

namespace unclip::cli {

/// 2 for the command line itself, 130 after a stop, 1 for files, models and the machine.
int exit_code(ErrorKind kind);

/// Writes the exception that is being handled to `out` and returns its exit code. Call it in a catch block.
int report_error(std::ostream& out) noexcept;

}  // namespace unclip::cli
