// Errors of the whole library: one sentence that says what, what we got, what was expected and what to do.
#pragma once
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace unclip {

enum class ErrorKind {
  usage,       // the command line itself is wrong: exit code 2, HTTP 400
  config,      // a configuration file or value is wrong
  io,          // a file or folder cannot be read or written
  checkpoint,  // weights do not fit the model
  data,        // a picture, caption, table or archive is damaged or unusable
  shape,       // a tensor has the wrong shape or type
  numeric,     // a value became infinite or not a number
  interrupted  // the user stopped the work: exit code 130
};

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const noexcept { return kind_; }

 private:
  ErrorKind kind_;
};

template <class... Parts>
std::string join_text(const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  return text.str();
}

template <class... Parts>
[[noreturn]] void fail(ErrorKind kind, const Parts&... message) {
  throw Error(kind, join_text(message...));
}

/// Throws Error(kind, message...) unless `ok`; the message is only put together on failure.
template <class... Parts>
void check(bool ok, ErrorKind kind, const Parts&... message) {
  if (!ok) [[unlikely]] {
    fail(kind, message...);
  }
}

/// The candidate nearest to `word` in edit distance, or "" if none is near: for "did you mean" in errors.
std::string nearest_name(const std::string& word, const std::vector<std::string>& candidates);

}  // namespace unclip
