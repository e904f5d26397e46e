#include "unclip/io/weights.h"

#include <algorithm>
#include <set>

#include "unclip/base/error.h"
#include "unclip/io/file.h"
#include "unclip/io/mapped_file.h"
#include "unclip/io/mapped_tensor.h"
#include "unclip/io/shard_index.h"
#include "unclip/io/state.h"
#include "unclip/io/torch_archive.h"
#include "unclip/io/zip_directory.h"

namespace unclip::io {
namespace fs = std::filesystem;
namespace {

constexpr int64_t kMaxIndex = int64_t{64} << 20;

enum class Format { safetensors, archive, index, legacy, unknown };

/// How a pickle of PyTorch before 1.6 begins: protocol 2 and the number 0x1950a86a20f9469cfc6c.
constexpr std::string_view kLegacyMagic = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";

Format format_of(const fs::path& file) {
  const MappedFile mapped(file);
  const auto bytes = mapped.bytes();
  const std::string_view start(reinterpret_cast<const char*>(bytes.data()),
                               std::min<size_t>(bytes.size(), 16));
  if (looks_like_zip(bytes)) return Format::archive;
  if (start.starts_with(kLegacyMagic)) return Format::legacy;
  // The length in front of a safetensors header has zeros in its upper bytes; text has none.
  if (start.size() > 8 && start[8] == '{' && start.substr(4, 4) == std::string_view("\0\0\0\0", 4)) {
    return Format::safetensors;
  }
  const size_t first = start.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && start[first] == '{') return Format::index;
  return file.extension() == ".safetensors" ? Format::safetensors : Format::unknown;
}

NamedTensors read_archive(const fs::path& path) {
  const auto file = std::make_shared<const MappedFile>(path);
  NamedTensors tensors;
  for (const auto& [name, place] : parse_torch_archive(file->bytes(), path.string())) {
    tensors.emplace(name, mapped_tensor(file, place));
  }
  return tensors;
}

NamedTensors read_single(const fs::path& file, Format format) {
  check(format != Format::legacy, ErrorKind::checkpoint, file.string(),
        " is in the format of PyTorch before 1.6: load it with torch.load and save it again with torch.save");
  check(format == Format::safetensors || format == Format::archive, ErrorKind::checkpoint, file.string(),
        " holds no weights that this program knows: expected a safetensors file or a PyTorch archive");
  return format == Format::archive ? read_archive(file) : SafetensorsFile(file).tensors();
}

/// Adds the tensors of a shard, which must be just those that the index says.
void add_shard(const fs::path& shard,
               const std::vector<std::string>& names,
               const std::string& index,
               NamedTensors& all) {
  check(fs::exists(shard), ErrorKind::io, index, " names the file '", shard.filename().string(),
        "', which is missing");
  NamedTensors tensors = read_single(shard, format_of(shard));
  std::vector<std::string> missing, unexpected;
  for (const std::string& name : names) {
    if (tensors.count(name) == 0) missing.push_back(name);
  }
  const std::set<std::string> expected(names.begin(), names.end());
  for (const auto& [name, tensor] : tensors) {
    if (expected.count(name) == 0) unexpected.push_back(name);
  }
  check(missing.empty(), ErrorKind::checkpoint, shard.string(), " lacks ", list_names(missing), ", which ",
        index, " says is there");
  check(unexpected.empty(), ErrorKind::checkpoint, shard.string(), " holds ", list_names(unexpected),
        ", which ", index, " does not say");
  all.merge(tensors);
}

}  // namespace

NamedTensors read_weights(const fs::path& file) {
  const Format format = format_of(file);
  if (format != Format::index) return read_single(file, format);
  const std::string where = file.string();
  NamedTensors all;
  for (const auto& [shard, names] : parse_shard_index(read_text(file, kMaxIndex), where)) {
    add_shard(file.parent_path() / shard, names, where, all);
  }
  return all;
}

fs::path find_weights(const fs::path& folder, const std::string& stem) {
  std::vector<std::string> names;
  const auto add = [&names](const std::string& base, const std::string& extension) {
    for (const std::string& name : {base + extension, base + extension + ".index.json",
                                    base + ".fp16" + extension, base + extension + ".index.fp16.json"}) {
      names.push_back(name);
    }
  };
  add(stem, ".safetensors");
  add(stem, ".bin");
  add("pytorch_" + stem, ".bin");
  for (const std::string& name : names) {
    if (fs::exists(folder / name)) return folder / name;
  }
  fail(ErrorKind::io, "'", folder.string(), "' holds no weights: expected ", stem,
       ".safetensors, an index of shards ", stem, ".safetensors.index.json, or a .bin file");
}

}  // namespace unclip::io
