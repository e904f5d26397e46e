// What a JSON parser would settle silently.
#pragma once
#include <string>
#include <string_view>

namespace unclip {

/// Error(config) naming a key that an object of this JSON text has twice; a parser would keep one of them.
/// What is no JSON passes: to refuse it is the parser's.
void check_json_keys(std::string_view json, const std::string& where);

}  // namespace unclip
