// Captions that come from the command line.
#pragma once
#include <string>

namespace unclip::cli {

/// Error(usage) unless it says something, in UTF-8 and at most 64 KiB.
void check_caption(const std::string& caption);

}  // namespace unclip::cli
