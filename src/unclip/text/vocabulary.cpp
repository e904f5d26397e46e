#include "unclip/text/vocabulary.h"

#include <nlohmann/json.hpp>

#include "unclip/base/error.h"
#include "unclip/io/file.h"
#include "unclip/text/unicode.h"

namespace unclip::text {
namespace {

constexpr std::string_view kMergesHeader = "#version";
constexpr int64_t kMaxFileBytes = int64_t{256} << 20;

bool is_printable(int byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || (byte >= 0xAE && byte <= 0xFF);
}

std::vector<std::string> read_tokens(const std::filesystem::path& file) {
  const auto json = nlohmann::json::parse(io::read_text(file, kMaxFileBytes), nullptr, false);
  check(json.is_object() && !json.empty(), ErrorKind::data, file.string(),
        " is damaged: expected a JSON object of tokens and ids");
  std::vector<std::string> tokens(json.size());
  std::vector<bool> seen(json.size(), false);
  for (const auto& [token, id] : json.items()) {
    const size_t index = id.is_number_unsigned() ? id.get<size_t>() : tokens.size();
    if (index >= tokens.size() || seen[index]) {
      fail(ErrorKind::data, file.string(), ": token '", token, "' has the id ",
           id.is_number() ? id.dump() : id.type_name(), ", expected each of 0 to ", tokens.size() - 1,
           " once");
    }
    seen[index] = true;
    tokens[index] = token;
  }
  return tokens;
}

std::vector<Vocabulary::Pair> read_merges(const std::filesystem::path& file) {
  const std::string text = io::read_text(file, kMaxFileBytes);
  std::vector<Vocabulary::Pair> merges;
  size_t line_number = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line(text.data() + begin, end - begin);
    begin = end + 1;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (++line_number == 1 && line.starts_with(kMergesHeader)) continue;
    if (line.empty()) continue;
    const size_t space = line.find(' ');
    check(space != 0 && space + 1 < line.size() && line.find(' ', space + 1) == std::string_view::npos,
          ErrorKind::data, file.string(), " is damaged: line ", line_number, " is '", std::string(line),
          "', expected two tokens with a space between");
    merges.emplace_back(line.substr(0, space), line.substr(space + 1));
  }
  return merges;
}

std::unordered_map<std::string, uint8_t> invert_byte_names() {
  std::unordered_map<std::string, uint8_t> bytes;
  for (size_t byte = 0; byte < 256; ++byte) bytes[byte_names()[byte]] = static_cast<uint8_t>(byte);
  return bytes;
}

}  // namespace

const std::array<std::string, 256>& byte_names() {
  static const std::array<std::string, 256> names = [] {
    std::array<std::string, 256> result;
    char32_t next = 256;
    for (int byte = 0; byte < 256; ++byte) {
      const char32_t c = is_printable(byte) ? static_cast<char32_t>(byte) : next++;
      result[static_cast<size_t>(byte)] = to_utf8({&c, 1});
    }
    return result;
  }();
  return names;
}

const std::array<uint8_t, 256>& byte_order() {
  static const std::array<uint8_t, 256> order = [] {
    std::array<uint8_t, 256> result{};
    size_t count = 0;
    for (const bool printable : {true, false}) {
      for (int byte = 0; byte < 256; ++byte) {
        if (is_printable(byte) == printable) result[count++] = static_cast<uint8_t>(byte);
      }
    }
    return result;
  }();
  return order;
}

std::string bytes_of_token(std::string_view token) {
  static const std::unordered_map<std::string, uint8_t> kBytes = invert_byte_names();
  const bool ends_word = token.ends_with(kWordEnd);
  if (ends_word) token.remove_suffix(kWordEnd.size());
  std::string bytes;
  for (size_t at = 0; at < token.size();) {
    size_t length = 1;
    while (at + length < token.size() && (static_cast<unsigned char>(token[at + length]) & 0xC0) == 0x80) {
      ++length;
    }
    const std::string name(token.substr(at, length));
    const auto found = kBytes.find(name);
    bytes += found == kBytes.end() ? name : std::string(1, static_cast<char>(found->second));
    at += length;
  }
  return ends_word ? bytes + " " : bytes;
}

Vocabulary::Vocabulary(std::vector<std::string> tokens, std::vector<Pair> merges)
    : tokens_(std::move(tokens)), merges_(std::move(merges)) {
  for (const std::string& token : tokens_) {
    const bool is_new = ids_.emplace(token, static_cast<int64_t>(ids_.size())).second;
    check(is_new, ErrorKind::data, "the vocabulary has the token '", token, "' twice");
  }
  for (size_t rank = 0; rank < merges_.size(); ++rank) {
    const auto& [left, right] = merges_[rank];
    if (find(left) < 0 || find(right) < 0 || find(left + right) < 0) {
      fail(ErrorKind::data, "merge ", rank + 1, " ('", left, " ", right,
           "') joins or makes a token that the vocabulary does not have");
    }
  }
}

Vocabulary Vocabulary::load(const std::filesystem::path& folder) {
  return {read_tokens(folder / "vocab.json"), read_merges(folder / "merges.txt")};
}

void Vocabulary::save(const std::filesystem::path& folder) const {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  // ordered_json searches linearly on insertion by key: append to its vector of pairs instead.
  auto& entries = json.get_ref<nlohmann::ordered_json::object_t&>();
  for (size_t id = 0; id < tokens_.size(); ++id) entries.push_back({tokens_[id], id});
  std::string lines = std::string(kMergesHeader) + ": 0.2\n";
  for (const auto& [left, right] : merges_) lines += left + " " + right + "\n";
  io::write_file_atomically(folder / "vocab.json", json.dump());
  io::write_file_atomically(folder / "merges.txt", lines);
}

int64_t Vocabulary::find(const std::string& token) const {
  const auto found = ids_.find(token);
  return found == ids_.end() ? -1 : found->second;
}

}  // namespace unclip::text
