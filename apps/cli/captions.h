// Captions that come from the command line.
#pragma once
#include <string>
#include <vector>

namespace unclip::cli {

/// Error(usage) unless it says something, in UTF-8 and at most 64 KiB.
void check_caption(const std::string& caption);

/// The lines of stdin that are not empty: what "-" stands for.
std::vector<std::string> lines_of_stdin();

}  // namespace unclip::cli
