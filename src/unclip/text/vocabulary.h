// A byte-pair vocabulary as CLIP stores it: vocab.json (token → id) and merges.txt (pairs, best first).
#pragma once
#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace unclip::text {

/// Marks the last symbol of a word inside token names: "cat</w>".
inline constexpr std::string_view kWordEnd = "</w>";
inline constexpr std::string_view kStartOfText = "<|startoftext|>";
inline constexpr std::string_view kEndOfText = "<|endoftext|>";

/// The printable character (as UTF-8) that stands for each byte in token names (GPT-2, Radford et al. 2019).
const std::array<std::string, 256>& byte_names();
/// The bytes in the order of CLIP's first 256 ids: printable ones first.
const std::array<uint8_t, 256>& byte_order();
/// The bytes that a token name spells, with kWordEnd as a space.
std::string bytes_of_token(std::string_view token);

class Vocabulary {
 public:
  using Pair = std::pair<std::string, std::string>;

  /// `tokens[id]` is the token of each id; `merges` from the first to the last applied. Error(data) if a
  /// token occurs twice or a merge joins or makes an unknown token.
  Vocabulary(std::vector<std::string> tokens, std::vector<Pair> merges);

  /// Reads FOLDER/vocab.json and FOLDER/merges.txt. Error(io) if one is missing, Error(data) if damaged.
  static Vocabulary load(const std::filesystem::path& folder);
  /// Writes both files byte for byte as CLIP's own are laid out.
  void save(const std::filesystem::path& folder) const;

  int64_t size() const { return static_cast<int64_t>(tokens_.size()); }
  const std::vector<std::string>& tokens() const { return tokens_; }
  const std::vector<Pair>& merges() const { return merges_; }
  /// The id of `token`, or -1.
  int64_t find(const std::string& token) const;

 private:
  std::vector<std::string> tokens_;
  std::vector<Pair> merges_;
  std::unordered_map<std::string, int64_t> ids_;
};

}  // namespace unclip::text
