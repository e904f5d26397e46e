#include "unclip/io/safetensors_header.h"

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "unclip/base/error.h"

namespace unclip::io {
namespace {

using Json = nlohmann::json;

constexpr uint64_t kLengthBytes = 8;
constexpr uint64_t kMaxHeader = 100'000'000;  // the reference implementation's cap
constexpr int kMaxDepth = 8;                  // {tensor: {shape: […]}} needs 3

/// Builds the JSON value like Json::parse, but refuses duplicate keys and deep nesting.
Json parse_strictly(std::span<const uint8_t> text, const std::string& where) {
  std::vector<std::set<std::string>> keys;
  const auto on_event = [&](int depth, Json::parse_event_t event, Json& value) {
    check(depth <= kMaxDepth, ErrorKind::checkpoint, where, ": the header is nested too deeply");
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key) {
      check(keys.back().insert(value.get<std::string>()).second, ErrorKind::checkpoint, where, ": '",
            value.get<std::string>(), "' stands twice in the header");
    }
    return true;
  };
  try {
    return Json::parse(text.begin(), text.end(), on_event);
  } catch (const Json::exception&) {
    fail(ErrorKind::checkpoint, where,
         ": the header is not valid JSON; the file is damaged or no safetensors file");
  }
}

uint64_t multiply(uint64_t a, uint64_t b, const std::string& where) {
  check(a == 0 || b <= std::numeric_limits<uint64_t>::max() / a, ErrorKind::checkpoint, where,
        " has an impossibly large shape");
  return a * b;
}

SafetensorsEntry read_entry(const std::string& name,
                            const Json& json,
                            const std::string& file,
                            uint64_t data_begin) {
  const std::string where = join_text(file, ": tensor '", name, "'");
  check(json.is_object() && json.contains("dtype") && json["dtype"].is_string() && json.contains("shape") &&
            json["shape"].is_array() && json.contains("data_offsets") && json["data_offsets"].is_array() &&
            json["data_offsets"].size() == 2,
        ErrorKind::checkpoint, where, " lacks dtype, shape or data_offsets");
  SafetensorsEntry entry{.name = name, .dtype = json["dtype"].get<std::string>(), .shape = {}};
  uint64_t bytes = safetensors_element_size(entry.dtype);
  check(bytes > 0, ErrorKind::checkpoint, where, " has the unknown dtype '", entry.dtype, "'");
  for (const Json& side : json["shape"]) {
    check(side.is_number_unsigned() && side.get<uint64_t>() <= uint64_t{1} << 48, ErrorKind::checkpoint,
          where, " has a shape that is no list of sizes");
    entry.shape.push_back(side.get<int64_t>());
    bytes = multiply(bytes, side.get<uint64_t>(), where);
  }
  const Json &begin = json["data_offsets"][0], &end = json["data_offsets"][1];
  check(
      begin.is_number_unsigned() && end.is_number_unsigned() && begin.get<uint64_t>() <= end.get<uint64_t>(),
      ErrorKind::checkpoint, where, " has offsets that are no range");
  const uint64_t size = end.get<uint64_t>() - begin.get<uint64_t>();
  check(size == bytes, ErrorKind::checkpoint, where, " takes ", size, " bytes, expected ", bytes,
        " from its shape and dtype");
  check(end.get<uint64_t>() <= std::numeric_limits<uint64_t>::max() - data_begin, ErrorKind::checkpoint,
        where, " has offsets beyond the file");
  entry.begin = data_begin + begin.get<uint64_t>();
  entry.end = data_begin + end.get<uint64_t>();
  return entry;
}

/// The tensors must tile the data exactly, as the reference demands: nothing hides in a gap.
void check_layout(const std::vector<SafetensorsEntry>& entries,
                  uint64_t data_begin,
                  uint64_t file_size,
                  const std::string& where) {
  uint64_t expected = data_begin;
  for (const SafetensorsEntry& entry : entries) {
    check(entry.begin == expected, ErrorKind::checkpoint, where, ": tensor '", entry.name,
          entry.begin < expected ? "' overlaps the one before it" : "' leaves a gap before it");
    expected = entry.end;
  }
  check(expected == file_size, ErrorKind::checkpoint, where, " has ", file_size,
        " bytes, its header describes ", expected, expected > file_size ? "; the file is truncated" : "");
}

}  // namespace

uint64_t safetensors_element_size(const std::string& dtype) {
  static constexpr std::array<std::pair<std::string_view, uint64_t>, 10> kSizes{{{"F64", 8},
                                                                                 {"F32", 4},
                                                                                 {"F16", 2},
                                                                                 {"BF16", 2},
                                                                                 {"I64", 8},
                                                                                 {"I32", 4},
                                                                                 {"I16", 2},
                                                                                 {"I8", 1},
                                                                                 {"U8", 1},
                                                                                 {"BOOL", 1}}};
  const auto* found = std::ranges::find(kSizes, dtype, &std::pair<std::string_view, uint64_t>::first);
  return found == kSizes.end() ? 0 : found->second;
}

SafetensorsHeader parse_safetensors_header(std::span<const uint8_t> file, const std::string& where) {
  check(file.size() >= kLengthBytes, ErrorKind::checkpoint, where, " has ", file.size(),
        " bytes, too few for a safetensors file");
  uint64_t length = 0;
  for (size_t i = 0; i < kLengthBytes; ++i) length |= uint64_t{file[i]} << (8 * i);
  check(length <= kMaxHeader && length <= file.size() - kLengthBytes, ErrorKind::checkpoint, where,
        ": the header claims ", length, " bytes in a file of ", file.size(),
        "; the file is truncated or no safetensors file");
  const Json json = parse_strictly(file.subspan(kLengthBytes, length), where);
  check(json.is_object(), ErrorKind::checkpoint, where, ": the header is no JSON object");
  SafetensorsHeader header;
  const uint64_t data_begin = kLengthBytes + length;
  for (const auto& [name, value] : json.items()) {
    if (name != "__metadata__") {
      header.entries.push_back(read_entry(name, value, where, data_begin));
      continue;
    }
    check(value.is_object(), ErrorKind::checkpoint, where, ": __metadata__ is no object");
    for (const auto& [key, text] : value.items()) {
      check(text.is_string(), ErrorKind::checkpoint, where, ": __metadata__ '", key, "' is no text");
      header.metadata[key] = text.get<std::string>();
    }
  }
  std::ranges::sort(header.entries, [](const SafetensorsEntry& a, const SafetensorsEntry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  check_layout(header.entries, data_begin, file.size(), where);
  return header;
}

}  // namespace unclip::io
