#include "apps/cli/usage.h"

#include <CLI/CLI.hpp>

#include "unclip/base/error.h"

namespace unclip::cli {
namespace {

/// The sub-command that was being parsed, else the program itself.
const CLI::App& parsed_app(const CLI::App& app) {
  const auto parsed = app.get_subcommands();
  return parsed.empty() ? app : parsed_app(*parsed.front());
}

std::string full_name(const CLI::App& app) {
  return app.get_parent() == nullptr ? app.get_name() : full_name(*app.get_parent()) + " " + app.get_name();
}

std::vector<std::string> flags(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

std::vector<std::string> subcommands(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* sub : app.get_subcommands({})) names.push_back(sub->get_name());
  return names;
}

std::string did_you_mean(const std::string& word, const std::vector<std::string>& candidates) {
  const std::string nearest = nearest_name(word, candidates);
  return nearest.empty() ? "" : ", did you mean " + nearest + "?";
}

/// A sentence on the first argument that nothing takes, or "" if there is none.
std::string unexpected_argument(const CLI::App& app) {
  const auto rest = app.remaining();
  if (rest.empty()) return "";
  const bool is_flag = rest.front().starts_with("-");
  const std::string word = is_flag ? rest.front().substr(0, rest.front().find('=')) : rest.front();
  if (is_flag) return "unknown flag " + word + did_you_mean(word, flags(app));
  if (!subcommands(app).empty())
    return "unknown command '" + word + "'" + did_you_mean(word, subcommands(app));
  return "unexpected argument '" + word + "'";
}

std::string expected_type(const CLI::App& app, const std::string& flag) {
  const CLI::Option* option = app.get_option_no_throw(flag);
  const std::string type = option == nullptr ? "" : option->get_type_name();
  if (type.starts_with("UINT")) return "a whole number, 0 or more";
  if (type.starts_with("INT")) return "a whole number";
  return type.starts_with("FLOAT") ? "a number" : "another value";
}

/// The parser's own message, reworded where it says neither what was expected nor what to do.
std::string reworded(const CLI::App& app, const std::string& message) {
  constexpr std::string_view kConversion = "Could not convert: ";  // --n = many
  const size_t equals = message.find(" = "), colon = message.find(": ");
  if (message.starts_with(kConversion) && equals != std::string::npos) {
    const std::string flag = message.substr(kConversion.size(), equals - kConversion.size());
    return flag + " is '" + message.substr(equals + 3) + "', expected " + expected_type(app, flag);
  }
  if (message == "A subcommand is required") return "a command is missing";
  if (colon == std::string::npos) return message;
  if (message.ends_with(" missing")) return message.substr(0, colon) + " needs a value";
  if (message.compare(colon, 5, ": is ") == 0) return message.substr(0, colon) + message.substr(colon + 1);
  return message;
}

}  // namespace

std::string usage_sentence(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& where = parsed_app(app);
  std::string sentence = unexpected_argument(where);
  if (sentence.empty()) sentence = reworded(where, error.what());
  return sentence + (sentence.ends_with("?") ? " See: " : "; see: ") + full_name(where) + " --help";
}

}  // namespace unclip::cli
