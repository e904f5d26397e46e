#include "apps/cli/captions.h"

#include <iostream>

#include "unclip/base/error.h"
#include "unclip/text/unicode.h"

namespace unclip::cli {
namespace {

constexpr size_t kMaxCaption = 65536;

}  // namespace

void check_caption(const std::string& caption) {
  check(caption.find_first_not_of(" \t\r\n") != std::string::npos, ErrorKind::usage,
        "a caption is empty: say what to draw, for instance \"a red heart\"");
  check(caption.size() <= kMaxCaption, ErrorKind::usage, "a caption has ", caption.size(),
        " bytes, expected at most ", kMaxCaption);
  try {
    text::check_text(caption);
  } catch (const Error& error) {
    fail(ErrorKind::usage, "a caption cannot be read: ", error.what());
  }
}

std::vector<std::string> lines_of_stdin() {
  std::vector<std::string> lines;
  for (std::string line; std::getline(std::cin, line);) {
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

}  // namespace unclip::cli
