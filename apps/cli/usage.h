// The parser's errors as this project's: one sentence that names the nearest right flag or command.
#pragma once
#include <string>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace unclip::cli {

/// What is wrong with the command line of `app`, whose parsing failed with `error`.
std::string usage_sentence(const CLI::App& app, const CLI::ParseError& error);

}  // namespace unclip::cli
