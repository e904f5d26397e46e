// A configuration file of somebody else's library: values by key, with that library's defaults for keys that
// are missing. Every error is an Error(config) that names file and key.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unclip::model {

class ForeignConfig {
 public:
  /// Error(io) if there is no such file, Error(config) if it is no JSON object or has a key twice.
  explicit ForeignConfig(const std::filesystem::path& file);
  /// The same of a text; `where` stands for the file.
  ForeignConfig(std::string_view json, std::string where);
  ~ForeignConfig();
  ForeignConfig(ForeignConfig&&) noexcept;

  const std::string& where() const { return where_; }  // the file
  bool has(const std::string& key) const;              // with a value other than null

  /// Values; without a default a missing key is an error.
  std::string text(const std::string& key, const std::optional<std::string>& missing = {});
  bool flag(const std::string& key, bool missing);
  double number(const std::string& key, double missing);
  /// A count or size, 1 to a million.
  int64_t count(const std::string& key, const std::optional<int64_t>& missing = {});
  /// A count, also written as a list of equal ones or (with `inner`) as {"inner": count}.
  int64_t same_count(const std::string& key,
                     const std::optional<int64_t>& missing = {},
                     const std::string& inner = {});
  /// Height and width, written as one number for both or as {"height": …, "width": …}.
  std::pair<int64_t, int64_t> extent(const std::string& key, int64_t missing);
  /// Whether it is written the second way.
  bool is_extent(const std::string& key) const;
  std::optional<int64_t> optional_integer(const std::string& key);
  std::vector<int64_t> counts(const std::string& key);
  std::vector<double> numbers(const std::string& key, const std::vector<double>& missing);
  std::vector<std::string> texts(const std::string& key);
  /// The object under a key as a configuration of its own.
  ForeignConfig part(const std::string& key);

  /// For settings of which this program has one or few kinds: error unless the key is missing or has one of
  /// these values, written in JSON.
  void expect(const std::string& key, const std::vector<std::string>& allowed);
  /// Settings that say nothing about what is computed here (dropout rates and the like).
  void skip(const std::vector<std::string>& keys);
  [[noreturn]] void refuse(const std::string& key, const std::string& expected) const;

  /// Keys that were neither read, expected nor skipped.
  std::vector<std::string> unknown_keys() const;

 private:
  struct Content;
  ForeignConfig(std::string where, std::unique_ptr<Content> content);
  std::string where_;
  std::unique_ptr<Content> content_;
};

}  // namespace unclip::model
