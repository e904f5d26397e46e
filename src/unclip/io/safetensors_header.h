// The header of a safetensors file, without tensors: u64 little-endian length, JSON padded with spaces, data.
// Strict where lenient readers differ: no holes, no overlap, no duplicate names.
#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unclip::io {

/// In the order of the reference implementation, which writes larger numbers first.
enum class Dtype { boolean, u8, i8, i16, f16, bf16, i32, f32, f64, i64 };

std::string_view dtype_name(Dtype dtype);  // "BOOL", "BF16", …
int64_t dtype_size(Dtype dtype);           // bytes of one element

struct TensorEntry {
  std::string name;
  Dtype dtype = Dtype::f32;
  std::vector<int64_t> shape;
  uint64_t begin = 0, end = 0;  // bytes from the start of the file
};

using Metadata = std::map<std::string, std::string>;

struct SafetensorsHeader {
  std::vector<TensorEntry> tensors;  // in the order of their data
  Metadata metadata;
};

inline constexpr uint64_t kMaxSafetensorsHeader = 100'000'000;  // as the reference implementation

/// Reads the header at the start of `bytes`, which may be the whole file or any prefix that holds the header.
/// Error(checkpoint) that begins with `where` if it is damaged or lies about a file of `file_size` bytes.
SafetensorsHeader parse_safetensors_header(std::span<const uint8_t> bytes,
                                           uint64_t file_size,
                                           const std::string& where);

/// The bytes before the data: length and JSON, padded to 8. `tensors` must lie in the order of their data;
/// their `begin` and `end` are computed here.
std::string safetensors_header_bytes(std::span<const TensorEntry> tensors, const Metadata& metadata);

}  // namespace unclip::io
