#include "apps/cli/memory_flag.h"

#include <array>
#include <cmath>
#include <cstdlib>

#include "unclip/base/error.h"

namespace unclip::cli {
namespace {

struct Unit {
  const char* name;
  double bytes;
};
constexpr std::array<Unit, 10> kUnits{{{"", 1},
                                       {"B", 1},
                                       {"kB", 1e3},
                                       {"MB", 1e6},
                                       {"GB", 1e9},
                                       {"KiB", 1024.0},
                                       {"MiB", 1024.0 * 1024},
                                       {"GiB", 1024.0 * 1024 * 1024},
                                       {"M", 1024.0 * 1024},
                                       {"G", 1024.0 * 1024 * 1024}}};
constexpr double kMost = 1e15;

}  // namespace

int64_t bytes_from_text(const std::string& text, const std::string& flag) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  std::string unit = end;
  if (unit.starts_with(' ')) unit.erase(0, 1);
  for (const Unit& known : kUnits) {
    const double bytes = number * known.bytes;
    if (end != text.c_str() && unit == known.name && bytes >= 1 && bytes <= kMost) return std::llround(bytes);
  }
  fail(ErrorKind::usage, flag, " is '", text, "', expected an amount such as 8GiB or 500MB");
}

}  // namespace unclip::cli
