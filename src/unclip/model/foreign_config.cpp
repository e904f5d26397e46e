#include "unclip/model/foreign_config.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "unclip/base/error.h"
#include "unclip/base/json_keys.h"
#include "unclip/io/file.h"

namespace unclip::model {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kMaxBytes = 1 << 20;
constexpr int64_t kMaxCount = 1'000'000;

bool is_count(const Json& json) { return json.is_number_integer() && json >= 1 && json <= kMaxCount; }

bool is_list_of(const Json& json, bool (Json::*is_kind)() const noexcept) {
  return json.is_array() &&
         std::all_of(json.begin(), json.end(), [&](const Json& item) { return (item.*is_kind)(); });
}

}  // namespace

struct ForeignConfig::Content {
  Json json;
  std::set<std::string> seen{};

  /// The value of a key, or null.
  const Json& at(const std::string& key) {
    static const Json null;
    seen.insert(key);
    const auto found = json.find(key);
    return found == json.end() ? null : *found;
  }
};

ForeignConfig::ForeignConfig(const std::filesystem::path& file)
    : ForeignConfig(io::read_text(file, kMaxBytes), file.string()) {}

ForeignConfig::ForeignConfig(std::string_view json, std::string where)
    : ForeignConfig(std::move(where), std::make_unique<Content>()) {
  check_json_keys(json, where_);
  content_->json = Json::parse(json, nullptr, false);
  check(content_->json.is_object(), ErrorKind::config, where_, " is damaged: expected a JSON object");
}

ForeignConfig::ForeignConfig(std::string where, std::unique_ptr<Content> content)
    : where_(std::move(where)), content_(std::move(content)) {}

ForeignConfig::~ForeignConfig() = default;
ForeignConfig::ForeignConfig(ForeignConfig&&) noexcept = default;

bool ForeignConfig::has(const std::string& key) const {
  const auto found = content_->json.find(key);
  return found != content_->json.end() && !found->is_null();
}

void ForeignConfig::refuse(const std::string& key, const std::string& expected) const {
  const auto found = content_->json.find(key);
  if (found == content_->json.end())
    fail(ErrorKind::config, where_, ": '", key, "' is missing, expected ", expected);
  fail(ErrorKind::config, where_, ": '", key, "' is ",
       found->dump(-1, ' ', false, Json::error_handler_t::replace), ", expected ", expected);
}

std::string ForeignConfig::text(const std::string& key, const std::optional<std::string>& missing) {
  const Json& json = content_->at(key);
  if (json.is_null() && missing) return *missing;
  if (!json.is_string()) refuse(key, "text");
  return json.get<std::string>();
}

bool ForeignConfig::flag(const std::string& key, bool missing) {
  const Json& json = content_->at(key);
  if (json.is_null()) return missing;
  if (!json.is_boolean()) refuse(key, "true or false");
  return json.get<bool>();
}

double ForeignConfig::number(const std::string& key, double missing) {
  const Json& json = content_->at(key);
  if (json.is_null()) return missing;
  if (!json.is_number()) refuse(key, "a number");
  return json.get<double>();
}

int64_t ForeignConfig::count(const std::string& key, const std::optional<int64_t>& missing) {
  const Json& json = content_->at(key);
  if (json.is_null() && missing) return *missing;
  if (!is_count(json)) refuse(key, "a whole number from 1 to 1000000");
  return json.get<int64_t>();
}

int64_t ForeignConfig::same_count(const std::string& key,
                                  const std::optional<int64_t>& missing,
                                  const std::string& inner) {
  const Json& json = content_->at(key);
  if (json.is_object() && json.size() == 1 && json.contains(inner) && is_count(json[inner]))
    return json[inner].get<int64_t>();
  if (!json.is_array()) return count(key, missing);
  const bool is_same = !json.empty() && std::all_of(json.begin(), json.end(), [&](const Json& item) {
    return is_count(item) && item == json.front();
  });
  if (!is_same) refuse(key, "one number, or the same for every level");
  return json.front().get<int64_t>();
}

std::pair<int64_t, int64_t> ForeignConfig::extent(const std::string& key, int64_t missing) {
  const Json& json = content_->at(key);
  if (!json.is_object()) {
    const int64_t side = count(key, missing);
    return {side, side};
  }
  const bool has_both = json.contains("height") && json.contains("width");
  if (!has_both || !is_count(json["height"]) || !is_count(json["width"]))
    refuse(key, R"(a number or {"height": …, "width": …})");
  return {json["height"].get<int64_t>(), json["width"].get<int64_t>()};
}

bool ForeignConfig::is_extent(const std::string& key) const {
  const auto found = content_->json.find(key);
  return found != content_->json.end() && found->is_object() && found->contains("height");
}

std::optional<int64_t> ForeignConfig::optional_integer(const std::string& key) {
  const Json& json = content_->at(key);
  if (json.is_null()) return std::nullopt;
  if (!json.is_number_integer()) refuse(key, "a whole number");
  return json.get<int64_t>();
}

std::vector<int64_t> ForeignConfig::counts(const std::string& key) {
  const Json& json = content_->at(key);
  if (!json.is_array() || json.empty() || !std::all_of(json.begin(), json.end(), is_count))
    refuse(key, "a list of whole numbers");
  return json.get<std::vector<int64_t>>();
}

std::vector<double> ForeignConfig::numbers(const std::string& key, const std::vector<double>& missing) {
  const Json& json = content_->at(key);
  if (json.is_null()) return missing;
  if (!is_list_of(json, &Json::is_number) || json.size() != missing.size())
    refuse(key, join_text("a list of ", missing.size(), " numbers"));
  return json.get<std::vector<double>>();
}

std::vector<std::string> ForeignConfig::texts(const std::string& key) {
  const Json& json = content_->at(key);
  if (!is_list_of(json, &Json::is_string)) refuse(key, "a list of names");
  return json.get<std::vector<std::string>>();
}

ForeignConfig ForeignConfig::part(const std::string& key) {
  const Json& json = content_->at(key);
  if (!json.is_object()) refuse(key, "an object");
  return {where_, std::make_unique<Content>(Content{json})};
}

void ForeignConfig::expect(const std::string& key, const std::vector<std::string>& allowed) {
  content_->seen.insert(key);
  const auto found = content_->json.find(key);
  if (found == content_->json.end()) return;
  std::string list;
  for (const std::string& value : allowed) {
    if (*found == Json::parse(value)) return;
    list += (list.empty() ? "" : " or ") + value;
  }
  refuse(key, list);
}

void ForeignConfig::skip(const std::vector<std::string>& keys) {
  content_->seen.insert(keys.begin(), keys.end());
}

std::vector<std::string> ForeignConfig::unknown_keys() const {
  std::vector<std::string> keys;
  for (const auto& [key, value] : content_->json.items()) {
    if (!content_->seen.contains(key) && !key.starts_with('_')) keys.push_back(key);
  }
  return keys;
}

}  // namespace unclip::model
