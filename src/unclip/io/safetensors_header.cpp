#include "unclip/io/safetensors_header.h"

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "unclip/base/error.h"

namespace unclip::io {
namespace {

struct DtypeInfo {
  std::string_view name;
  int64_t size;
};
constexpr std::array<DtypeInfo, 10> kDtypes{{{"BOOL", 1},
                                             {"U8", 1},
                                             {"I8", 1},
                                             {"I16", 2},
                                             {"F16", 2},
                                             {"BF16", 2},
                                             {"I32", 4},
                                             {"F32", 4},
                                             {"F64", 8},
                                             {"I64", 8}}};
constexpr size_t kLengthBytes = 8;
constexpr size_t kMaxTensorName = 1024;
constexpr std::string_view kMetadata = "__metadata__";
constexpr uint64_t kOverflow = std::numeric_limits<uint64_t>::max();

/// Names end up in error messages: no essays, no control characters.
bool is_name(const std::string& text) {
  return text.size() <= kMaxTensorName &&
         std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

/// Takes the JSON apart event by event: the grammar is flat, so nothing nested is ever built, and repeated
/// names are seen.
class HeaderReader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit HeaderReader(const std::string& where) : where_(where) {}

  SafetensorsHeader header;

  bool start_object(size_t /*count*/) override {
    if (place_ == Place::start) return move_to(Place::top);
    if (place_ == Place::top && key_ == kMetadata) return move_to(Place::metadata);
    if (place_ != Place::top) misplaced("an object");
    header.tensors.emplace_back().name = key_;
    seen_.clear();
    return move_to(Place::tensor);
  }
  bool end_object() override {
    if (place_ == Place::tensor) {
      check(seen_.size() == 3, ErrorKind::checkpoint, where_, ": tensor '", header.tensors.back().name,
            "' lacks one of dtype, shape, data_offsets");
    }
    return move_to(place_ == Place::top ? Place::start : Place::top);
  }
  bool start_array(size_t /*count*/) override {
    if (place_ != Place::tensor || (key_ != "shape" && key_ != "data_offsets")) misplaced("a list");
    offsets_ = 0;
    return move_to(key_ == "shape" ? Place::shape : Place::offsets);
  }
  bool end_array() override {
    if (place_ == Place::offsets) {
      check(offsets_ == 2, ErrorKind::checkpoint, where_, ": tensor '", header.tensors.back().name, "' has ",
            offsets_, " data_offsets, expected 2");
    }
    return move_to(Place::tensor);
  }
  bool key(std::string& name) override {
    check(is_name(name), ErrorKind::checkpoint, where_, ": a name in the safetensors header has ",
          name.size(), " bytes, expected at most ", kMaxTensorName, " and no control characters");
    std::set<std::string>& known = place_ == Place::top ? names_ : seen_;
    check(known.insert(name).second, ErrorKind::checkpoint, where_, ": '", name, "' appears twice");
    check(place_ != Place::tensor || name == "dtype" || name == "shape" || name == "data_offsets",
          ErrorKind::checkpoint, where_, ": unknown key '", name, "' in a tensor's description");
    if (place_ == Place::top && name == kMetadata) seen_.clear();
    key_ = name;
    return true;
  }
  bool string(std::string& value) override {
    if (place_ == Place::metadata) {
      header.metadata[key_] = value;
    } else if (place_ == Place::tensor && key_ == "dtype") {
      header.tensors.back().dtype = dtype_from(value);
    } else {
      misplaced("text");
    }
    return true;
  }
  bool number_unsigned(uint64_t value) override {
    if (place_ == Place::shape) {
      check(value <= static_cast<uint64_t>(INT64_MAX), ErrorKind::checkpoint, where_, ": tensor '",
            header.tensors.back().name, "' has a dimension of ", value);
      header.tensors.back().shape.push_back(static_cast<int64_t>(value));
    } else if (place_ == Place::offsets && offsets_ < 2) {
      (offsets_++ == 0 ? header.tensors.back().begin : header.tensors.back().end) = value;
    } else {
      misplaced("a number");
    }
    return true;
  }
  bool null() override { misplaced("null"); }
  bool boolean(bool /*value*/) override { misplaced("a truth value"); }
  bool number_integer(int64_t /*value*/) override { misplaced("a negative number"); }
  bool number_float(double /*value*/, const std::string& /*text*/) override { misplaced("a fraction"); }
  bool binary(binary_t& /*value*/) override { misplaced("binary data"); }
  bool parse_error(size_t position,
                   const std::string& /*token*/,
                   const nlohmann::detail::exception&) override {
    fail(ErrorKind::checkpoint, where_, ": the safetensors header is not valid JSON near byte ", position);
  }

 private:
  enum class Place : uint8_t { start, top, metadata, tensor, shape, offsets };

  bool move_to(Place place) {
    place_ = place;
    return true;
  }
  [[noreturn]] void misplaced(std::string_view what) const {
    fail(ErrorKind::checkpoint, where_, ": the safetensors header has ", what, " at '", key_,
         "' where none belongs");
  }
  Dtype dtype_from(const std::string& name) const {
    for (size_t i = 0; i < kDtypes.size(); ++i) {
      if (kDtypes[i].name == name) return static_cast<Dtype>(i);
    }
    std::string known;
    for (const DtypeInfo& info : kDtypes) known += (known.empty() ? "" : ", ") + std::string(info.name);
    fail(ErrorKind::checkpoint, where_, ": tensor '", header.tensors.back().name, "' has dtype '",
         is_name(name) ? name : "…", "', expected one of: ", known);
  }

  std::string where_;
  Place place_ = Place::start;
  std::string key_;
  size_t offsets_ = 0;
  std::set<std::string> names_;  // of tensors
  std::set<std::string> seen_;   // of the current tensor's or the metadata's keys
};

/// Bytes that the shape and dtype need; the largest number if that overflows.
uint64_t byte_count(const TensorEntry& tensor) {
  auto count = static_cast<uint64_t>(dtype_size(tensor.dtype));
  for (const int64_t dimension : tensor.shape) {
    if (__builtin_mul_overflow(count, static_cast<uint64_t>(dimension), &count)) return kOverflow;
  }
  return count;
}

/// Sorts the tensors by offset and checks that they fill exactly `data_size` bytes.
void check_layout(std::vector<TensorEntry>& tensors, uint64_t data_size, const std::string& where) {
  std::stable_sort(tensors.begin(), tensors.end(), [](const TensorEntry& a, const TensorEntry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  uint64_t at = 0;
  for (const TensorEntry& tensor : tensors) {
    check(tensor.begin == at && tensor.end >= tensor.begin, ErrorKind::checkpoint, where, ": tensor '",
          tensor.name, "' lies at bytes ", tensor.begin, " to ", tensor.end, ", expected it to begin at ",
          at);
    check(byte_count(tensor) == tensor.end - tensor.begin, ErrorKind::checkpoint, where, ": tensor '",
          tensor.name, "' has ", tensor.end - tensor.begin, " bytes, which its shape and dtype do not fit");
    at = tensor.end;
  }
  check(at == data_size, ErrorKind::checkpoint, where, " has ", data_size, " bytes of data, expected ", at,
        at > data_size ? ": the file is cut off" : "");
}

uint64_t read_length(std::span<const uint8_t> bytes) {
  uint64_t length = 0;
  for (size_t i = kLengthBytes; i-- > 0;) length = (length << 8) | bytes[i];
  return length;
}

}  // namespace

std::string_view dtype_name(Dtype dtype) { return kDtypes[static_cast<size_t>(dtype)].name; }
int64_t dtype_size(Dtype dtype) { return kDtypes[static_cast<size_t>(dtype)].size; }

SafetensorsHeader parse_safetensors_header(std::span<const uint8_t> bytes,
                                           uint64_t file_size,
                                           const std::string& where) {
  check(file_size >= kLengthBytes && bytes.size() >= kLengthBytes, ErrorKind::checkpoint, where, " has ",
        file_size, " bytes: too short for a safetensors file");
  const uint64_t length = read_length(bytes);
  check(length <= kMaxSafetensorsHeader, ErrorKind::checkpoint, where,
        " is not a safetensors file: its header would have ", length, " bytes, expected at most ",
        kMaxSafetensorsHeader);
  check(length <= file_size - kLengthBytes && length <= bytes.size() - kLengthBytes, ErrorKind::checkpoint,
        where, " is cut off: its header has ", length, " bytes, the file ", file_size);
  check(length >= 2 && bytes[kLengthBytes] == '{', ErrorKind::checkpoint, where,
        " is not a safetensors file: its header does not begin with '{'");

  HeaderReader reader(where);
  const auto json = bytes.subspan(kLengthBytes, length);
  nlohmann::json::sax_parse(json.begin(), json.end(), &reader);
  const uint64_t data_begin = kLengthBytes + length;
  check_layout(reader.header.tensors, file_size - data_begin, where);
  for (TensorEntry& tensor : reader.header.tensors) {
    tensor.begin += data_begin;
    tensor.end += data_begin;
  }
  return std::move(reader.header);
}

std::string safetensors_header_bytes(std::span<const TensorEntry> tensors, const Metadata& metadata) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  if (!metadata.empty()) json[std::string(kMetadata)] = metadata;
  uint64_t at = 0;
  for (const TensorEntry& tensor : tensors) {
    check(is_name(tensor.name) && tensor.name != kMetadata, ErrorKind::checkpoint, "'", tensor.name,
          "' is no name for a stored tensor");
    const uint64_t size = byte_count(tensor);
    check(size < kOverflow - at, ErrorKind::shape, "tensor '", tensor.name, "' is too large to be stored");
    json[tensor.name] = {
        {"dtype", dtype_name(tensor.dtype)}, {"shape", tensor.shape}, {"data_offsets", {at, at + size}}};
    at += size;
  }
  std::string text;
  try {
    text = json.dump();
  } catch (const nlohmann::json::exception&) {
    fail(ErrorKind::checkpoint, "a tensor's name or a metadata text is not valid UTF-8");
  }
  text.resize((text.size() + 7) / 8 * 8, ' ');
  check(text.size() <= kMaxSafetensorsHeader, ErrorKind::checkpoint, "the safetensors header would have ",
        text.size(), " bytes, expected at most ", kMaxSafetensorsHeader);
  std::string bytes;
  for (size_t i = 0; i < kLengthBytes; ++i) bytes += static_cast<char>((text.size() >> (8 * i)) & 0xFF);
  return bytes + text;
}

}  // namespace unclip::io
