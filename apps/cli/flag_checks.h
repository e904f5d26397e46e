// Checks of flag values. Private to the program's .cpp files.
#pragma once
#include <CLI/CLI.hpp>
#include <string>

#include "unclip/base/error.h"

namespace unclip::cli {

/// For ->check(): a number from `low` to `high`.
template <class T>
CLI::Validator between(T low, T high) {
  return CLI::Validator(
      [low, high](const std::string& text) -> std::string {
        T value{};
        if (std::is_unsigned_v<T> && text.starts_with('-'))  // the conversion would wrap around
          return join_text("is '", text, "', expected ", low, " to ", high);
        if (!CLI::detail::lexical_cast(text, value)) return {};  // the conversion that follows says so better
        return value >= low && value <= high ? ""
                                             : join_text("is '", text, "', expected ", low, " to ", high);
      },
      "");
}

}  // namespace unclip::cli
