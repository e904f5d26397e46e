// Small data sets on disk for tests.
#pragma once
#include <torch/types.h>

#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "support/temporary_folder.h"
#include "unclip/data/archive.h"
#include "unclip/image/encode.h"

namespace unclip::testing {

/// A folder that tests fill with pictures and captions.
class DataFolder : public TemporaryFolder {
 public:
  void write(const std::string& name, std::string_view content) const {
    std::filesystem::create_directories((*this / name).parent_path());
    std::ofstream(*this / name, std::ios::binary) << content;
  }
  std::vector<std::string> source(const std::string& name = "") const { return {(*this / name).string()}; }
};

/// A PNG of `side` pixels in one colour that tells `number`.
inline std::string png_of(int64_t number, int64_t side = 8) {
  const auto colour =
      torch::tensor({number % 256, (number * 37) % 256, (number * 101) % 256}).to(torch::kUInt8);
  const auto bytes = image::encode_png(colour.expand({side, side, 3}).contiguous());
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline void add_member(data::ArchiveBuilder& builder, const std::string& name, std::string_view content) {
  builder.add(name, {reinterpret_cast<const uint8_t*>(content.data()), content.size()});
}

/// A shard of `count` samples "0", "1", … with captions "caption K of N" and the given weight.
inline std::string shard_of(int64_t count, int64_t captions = 2, double weight = 1, int64_t side = 8) {
  data::ArchiveBuilder builder;
  for (int64_t n = 0; n < count; ++n) {
    std::string list;
    for (int64_t k = 0; k < captions; ++k) {
      list += (k > 0 ? ", \"caption " : "\"caption ") + std::to_string(k) + " of " + std::to_string(n) + "\"";
    }
    add_member(builder, std::to_string(n) + ".png", png_of(n, side));
    add_member(builder, std::to_string(n) + ".json",
               "{\"captions\": [" + list + "], \"weight\": " + std::to_string(weight) + "}");
  }
  return builder.finish();
}

}  // namespace unclip::testing
