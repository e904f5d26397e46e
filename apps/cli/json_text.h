// JSON as --json prints it. Private to the program's .cpp files.
#pragma once
#include <nlohmann/json.hpp>
#include <string>

namespace unclip::cli {

/// One line; bytes that are not UTF-8 (file names may have them) become U+FFFD.
inline std::string json_text(const nlohmann::ordered_json& object) {
  return object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace unclip::cli
