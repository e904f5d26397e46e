// From argv to an exit code.
#pragma once
#include <string>

namespace unclip::cli {

/// "0.1.0": the version of this project.
std::string version();

/// Parses the command line, runs the sub-command and reports errors on stderr.
/// Returns 0; 2 if the command line itself is wrong; 1 if files, models or the machine are; 128 + the
/// signal's number (130 for Ctrl-C) after a stop.
int run(int argc, const char* const* argv);

}  // namespace unclip::cli
