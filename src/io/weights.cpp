#include "unclip/io/weights.h"

#include <algorithm>
#include <vector>

#include "unclip/base/error.h"

namespace unclip::io {
namespace fs = std::filesystem;

NamedTensors read_weights(const fs::path& file) { return SafetensorsFile(file).tensors(); }

fs::path find_weights(const fs::path& folder, const std::string& stem) {
  fs::path plain = folder / (stem + ".safetensors");
  if (fs::exists(plain)) return plain;
  std::vector<fs::path> variants;
  std::error_code unreadable;
  for (const auto& entry : fs::directory_iterator(folder, unreadable)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(stem + ".") && name.ends_with(".safetensors")) variants.push_back(entry.path());
  }
  check(!variants.empty(), ErrorKind::io, "'", folder.string(), "' holds no weights: expected ", stem,
        ".safetensors");
  return *std::ranges::min_element(variants);
}

}  // namespace unclip::io
