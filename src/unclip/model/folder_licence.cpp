#include "unclip/model/folder_licence.h"

#include <sstream>

#include "unclip/base/error.h"
#include "unclip/io/file.h"

namespace unclip::model {
namespace fs = std::filesystem;
namespace {

constexpr int64_t kMaxText = 1 << 20;
constexpr size_t kMaxLine = 200;

std::string read_if_there(const fs::path& file) {
  if (!fs::is_regular_file(file)) return "";
  try {
    return io::read_text(file, kMaxText);
  } catch (const Error&) {
    return "";  // a description only: nothing depends on it
  }
}

std::string trimmed(const std::string& line) {
  const size_t begin = line.find_first_not_of(" \t\r\"'");
  if (begin == std::string::npos) return "";
  return line.substr(begin, line.find_last_not_of(" \t\r\"'") - begin + 1).substr(0, kMaxLine);
}

std::string licence_in_head(const std::string& readme) {
  std::istringstream lines(readme);
  std::string line;
  if (!std::getline(lines, line) || trimmed(line) != "---") return "";
  const std::string key = "license:";
  while (std::getline(lines, line) && trimmed(line) != "---") {
    if (line.starts_with(key)) return trimmed(line.substr(key.size()));
  }
  return "";
}

std::string first_line(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (std::string title = trimmed(line); !title.empty()) return title;
  }
  return "";
}

}  // namespace

std::string licence_of(const fs::path& folder) {
  if (std::string name = licence_in_head(read_if_there(folder / "README.md")); !name.empty()) return name;
  for (const char* file : {"LICENSE", "LICENSE.txt", "LICENSE.md"}) {
    if (std::string name = first_line(read_if_there(folder / file)); !name.empty()) return name;
  }
  return "";
}

}  // namespace unclip::model
