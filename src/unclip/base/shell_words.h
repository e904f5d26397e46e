// Commands as one types them.
#pragma once
#include <string>

namespace unclip {

/// The word as a POSIX shell reads it back: as it is where it is plain, else in single quotes.
std::string quoted(const std::string& word);

}  // namespace unclip
