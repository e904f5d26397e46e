// The header of a safetensors file, read without trusting it and without LibTorch (so that it can be fuzzed
// alone).
#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace unclip::io {

struct SafetensorsEntry {
  std::string name;
  std::string dtype;  // "F32", "BF16", …
  std::vector<int64_t> shape;
  uint64_t begin = 0, end = 0;  // bytes in the file
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;  // by position in the file
  std::map<std::string, std::string> metadata;
};

/// Bytes of one element, or 0 if the dtype is unknown.
uint64_t safetensors_element_size(const std::string& dtype);

/// Reads and checks the header of a whole file in memory: u64 length, JSON of at most 100 MB, known dtypes,
/// byte counts that equal shape × size, no gaps, no overlaps, no duplicate names. Error(checkpoint) naming
/// `where` and the tensor.
SafetensorsHeader parse_safetensors_header(std::span<const uint8_t> file, const std::string& where);

}  // namespace unclip::io
