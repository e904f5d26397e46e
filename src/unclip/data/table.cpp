#include "unclip/data/table.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "unclip/base/error.h"

namespace unclip::data {
namespace {

using Json = nlohmann::json;

constexpr double kMaxWeight = 1000;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kBlanks = " \t\r\n\f\v";

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

/// Calls `on_line(line, number)` for each line, numbers from 1.
template <class OnLine>
void for_each_line(std::string_view text, const OnLine& on_line) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  size_t number = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    on_line(text.substr(begin, end - begin), ++number);
    begin = end + 1;
  }
}

/// Reads records of a CSV text one after another.
class CsvReader {
 public:
  CsvReader(std::string_view text, const std::string& where) : text_(text), where_(where) {
    if (text_.starts_with(kByteOrderMark)) at_ = kByteOrderMark.size();
  }

  bool done() const { return at_ >= text_.size(); }
  size_t line() const { return line_; }

  std::vector<std::string> next_record() {
    std::vector<std::string> fields;
    do {
      fields.push_back(at_ < text_.size() && text_[at_] == '"' ? quoted_field() : plain_field());
    } while (take(','));
    take('\r');
    if (!done()) {
      check(take('\n'), ErrorKind::data, where_, ", line ", line_,
            ": a quoted field must be followed by a comma or the end of the line");
      ++line_;
    }
    return fields;
  }

 private:
  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  std::string plain_field() {
    size_t end = std::min(text_.find_first_of(",\n", at_), text_.size());
    if (end > at_ && text_[end - 1] == '\r' && (end == text_.size() || text_[end] == '\n')) --end;
    const std::string field(text_.substr(at_, end - at_));
    at_ = end;
    return field;
  }

  std::string quoted_field() {
    const size_t first_line = line_;
    std::string field;
    for (++at_; !done(); ++at_) {
      const char c = text_[at_];
      if (c == '"' && text_.substr(at_ + 1, 1) != "\"") {
        ++at_;
        return field;
      }
      if (c == '"') ++at_;
      if (c == '\n') ++line_;
      field += c;
    }
    fail(ErrorKind::data, where_, ", line ", first_line, ": a quoted field has no end");
  }

  std::string_view text_;
  const std::string& where_;
  size_t at_ = 0;
  size_t line_ = 1;
};

std::string joined(const std::vector<std::string>& names) {
  std::string result;
  for (const std::string& name : names) result += (result.empty() ? "" : " and ") + name;
  return result;
}

std::vector<size_t> places_of(const std::vector<std::string>& columns,
                              const std::vector<std::string>& header,
                              const std::string& where) {
  std::vector<size_t> places;
  for (const std::string& name : columns) {
    const auto found = std::find(header.begin(), header.end(), name);
    check(found != header.end(), ErrorKind::data, where, " has no column '", name,
          "'; its first line must name the columns ", joined(columns));
    places.push_back(static_cast<size_t>(found - header.begin()));
  }
  return places;
}

/// Discarded if `text` is no JSON or nested absurdly deep (walking such a value would exhaust the stack).
Json parse_json(std::string_view text) {
  constexpr int kMaxDepth = 64;
  bool too_deep = false;
  Json json = Json::parse(
      text,
      [&](int depth, Json::parse_event_t, Json&) {
        too_deep = too_deep || depth > kMaxDepth;
        return !too_deep;
      },
      false);
  return too_deep ? Json(Json::value_t::discarded) : json;
}

std::string text_member(const Json& json, const char* name, const std::string& where) {
  const auto found = json.is_object() ? json.find(name) : json.end();
  check(json.is_object() && found != json.end() && found->is_string(), ErrorKind::data, where,
        ": expected an object with the text '", name, "'");
  return found->get<std::string>();
}

}  // namespace

std::vector<std::vector<std::string>> read_csv_columns(std::string_view text,
                                                       const std::vector<std::string>& columns,
                                                       const std::string& where) {
  CsvReader reader(text, where);
  const std::vector<std::string> header = reader.next_record();
  const std::vector<size_t> places = places_of(columns, header, where);
  std::vector<std::vector<std::string>> rows;
  while (!reader.done()) {
    const size_t line = reader.line();
    std::vector<std::string> fields = reader.next_record();
    if (fields.size() == 1 && trimmed(fields[0]).empty()) continue;
    check(fields.size() == header.size(), ErrorKind::data, where, ", line ", line, " has ", fields.size(),
          " fields, expected ", header.size(), "; put a text with commas in double quotes");
    std::vector<std::string>& row = rows.emplace_back();
    for (const size_t place : places) row.push_back(fields[place]);
  }
  return rows;
}

std::vector<CaptionRow> read_caption_csv(std::string_view text, const std::string& where) {
  std::vector<CaptionRow> rows;
  for (auto& row : read_csv_columns(text, {"file_name", "text"}, where))
    rows.push_back({std::move(row[0]), std::move(row[1])});
  return rows;
}

std::vector<CaptionRow> read_caption_jsonl(std::string_view text, const std::string& where) {
  std::vector<CaptionRow> rows;
  for_each_line(text, [&](std::string_view line, size_t number) {
    if (trimmed(line).empty()) return;
    const Json json = parse_json(line);
    const std::string place = join_text(where, ", line ", number);
    rows.push_back({text_member(json, "file_name", place), text_member(json, "text", place)});
  });
  return rows;
}

std::vector<std::string> caption_lines(std::string_view text) {
  std::vector<std::string> captions;
  for_each_line(text, [&](std::string_view line, size_t) {
    if (!trimmed(line).empty()) captions.emplace_back(trimmed(line));
  });
  return captions;
}

SampleInfo read_sample_json(std::string_view text, const std::string& where) {
  const Json json = parse_json(text);
  check(json.is_object(), ErrorKind::data, where, " is damaged: expected a JSON object");
  SampleInfo info;
  if (const auto captions = json.find("captions"); captions != json.end()) {
    check(captions->is_array(), ErrorKind::data, where, ": 'captions' must be a list of texts");
    for (const Json& caption : *captions) {
      check(caption.is_string(), ErrorKind::data, where, ": 'captions' must be a list of texts");
      info.captions.push_back(caption.get<std::string>());
    }
  }
  if (const auto weight = json.find("weight"); weight != json.end()) {
    check(weight->is_number(), ErrorKind::data, where, ": 'weight' must be a number");
    info.weight = weight->get<double>();
    check(info.weight >= 0 && info.weight <= kMaxWeight, ErrorKind::data, where, ": 'weight' is ",
          info.weight, ", expected 0 to ", kMaxWeight);
  }
  return info;
}

}  // namespace unclip::data
