#include "apps/cli/report_error.h"

#include <c10/util/Exception.h>

#include <string>

#include "apps/cli/signals.h"

namespace unclip::cli {
namespace {

/// LibTorch's messages go on for pages; their first line is the sentence.
std::string torch_sentence(const c10::Error& error) {
  const std::string text = error.what_without_backtrace();
  if (text.find("DefaultCPUAllocator") != std::string::npos) {
    const size_t wanted = text.find("you tried to allocate ");
    const size_t end = text.find(" bytes", wanted);
    const std::string size =
        end == std::string::npos ? "" : " (" + text.substr(wanted, end + 6 - wanted) + ")";
    return "the machine has not enough memory" + size + "; use fewer or smaller pictures at once";
  }
  return "LibTorch failed: " + text.substr(0, text.find('\n'));
}

}  // namespace

int exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage:
      return 2;
    case ErrorKind::interrupted:
      return 128 + stop_signal();
    default:
      return 1;
  }
}

int report_error(std::ostream& out) noexcept {
  try {
    try {
      throw;
    } catch (const Error& error) {
      out << "unclip: " << error.what() << "\n" << std::flush;
      return exit_code(error.kind());
    } catch (const c10::Error& error) {
      out << "unclip: " << torch_sentence(error) << "\n" << std::flush;
    } catch (const std::bad_alloc&) {
      out << "unclip: the machine has not enough memory; use fewer or smaller pictures at once"
          << "\n"
          << std::flush;
    } catch (const std::exception& error) {
      out << "unclip: " << error.what() << "\n" << std::flush;
    }
  } catch (...) {  // not even the report worked: the exit code must do
  }
  return 1;
}

}  // namespace unclip::cli
