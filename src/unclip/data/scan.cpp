#include "unclip/data/scan.h"

#include <glob.h>

#include <algorithm>
#include <map>
#include <unordered_map>

#include "unclip/base/error.h"
#include "unclip/data/archive.h"
#include "unclip/data/table.h"
#include "unclip/io/file.h"

namespace unclip::data {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMaxTableBytes = int64_t{4} << 30;
constexpr std::string_view kPictureExtensions[] = {"png", "jpg", "jpeg", "webp"};
constexpr std::string_view kOtherPictureExtensions[] = {"gif",  "bmp",  "tif", "tiff", "heic",
                                                        "heif", "avif", "jxl", "jp2",  "svg"};
constexpr std::string_view kArchiveEndings[] = {".tar", ".tar.gz", ".tgz", ".tar.zst", ".tar.bz2", ".tar.xz"};

std::string lower_case(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

bool is_picture(const std::string& extension) {
  return std::ranges::find(kPictureExtensions, extension) != std::end(kPictureExtensions);
}

bool is_other_picture(const std::string& extension) {
  return std::ranges::find(kOtherPictureExtensions, extension) != std::end(kOtherPictureExtensions);
}

bool is_archive(const std::string& name) {
  return std::any_of(std::begin(kArchiveEndings), std::end(kArchiveEndings),
                     [&](std::string_view ending) { return lower_case(name).ends_with(ending); });
}

/// "a/b.x.png" → {"a/b", "x.png"}: WebDataset splits a base name at its first dot.
std::pair<std::string, std::string> split_member(const std::string& name) {
  const size_t base = name.rfind('/') == std::string::npos ? 0 : name.rfind('/') + 1;
  const size_t dot = name.find('.', base);
  if (dot == std::string::npos || dot == base) return {name, ""};
  return {name.substr(0, dot), lower_case(name.substr(dot + 1))};
}

/// Puts a part of a sample where its extension says; the first picture of several stands.
void place(Entry& entry, const std::string& extension, Blob blob) {
  if (is_picture(extension) && !entry.picture.exists()) {
    entry.extension = extension;
    entry.picture = std::move(blob);
  } else if (extension == "txt") {
    entry.text = std::move(blob);
  } else if (extension == "json") {
    entry.json = std::move(blob);
  } else if (is_other_picture(extension)) {
    entry.unreadable = extension;
  }
}

void append_with_pictures(std::vector<Entry>&& entries, ScanResult& result, DamageLog& damage) {
  for (Entry& entry : entries) {
    if (entry.picture.exists()) {
      result.entries.push_back(std::move(entry));
    } else if (!entry.unreadable.empty()) {
      damage.add(entry.key + "." + entry.unreadable,
                 "pictures of this kind are not read: convert it to PNG, JPEG or WebP");
    }
  }
}

void scan_archive(const fs::path& path, ScanResult& result, DamageLog& damage) {
  try {
    const auto file = std::make_shared<const io::MappedFile>(path);
    const ArchiveIndex index = index_archive(file->bytes(), path.string());
    if (index.damage) damage.add(path.string(), *index.damage);
    std::vector<Entry> entries;
    std::unordered_map<std::string, size_t> places;
    for (const ArchiveMember& member : index.members) {
      const auto [name, extension] = split_member(member.name);
      const auto [found, is_new] = places.emplace(name, entries.size());
      if (is_new) entries.emplace_back().key = path.stem().string() + "/" + name;
      place(entries[found->second], extension, {file, member.offset, member.size, ""});
    }
    append_with_pictures(std::move(entries), result, damage);
    ++result.archives;
  } catch (const Error& error) {
    damage.add(path.string(), error.what());
  }
}

/// The regular files below `root`, relative to it, sorted by name; hidden ones are left out.
std::vector<fs::path> list_files(const fs::path& root) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::recursive_directory_iterator at(root, error), end; !error && at != end; at.increment(error)) {
    if (at->path().filename().string().starts_with('.')) {
      at.disable_recursion_pending();
    } else if (at->is_regular_file(error)) {
      names.push_back(at->path().lexically_relative(root).generic_string());
    }
  }
  check(!error, ErrorKind::io, "folder ", root.string(), " cannot be read: ", error.message());
  std::sort(names.begin(), names.end());
  return {names.begin(), names.end()};
}

using TableCaptions = std::map<std::string, std::vector<std::string>>;  // relative picture path → captions

void read_table(const fs::path& root, const fs::path& table, TableCaptions& captions, DamageLog& damage) {
  const std::string where = (root / table).string();
  try {
    const std::string text = io::read_text(root / table, kMaxTableBytes);
    const bool is_csv = table.extension() == ".csv";
    for (CaptionRow& row : is_csv ? read_caption_csv(text, where) : read_caption_jsonl(text, where)) {
      const fs::path picture = (table.parent_path() / row.file_name).lexically_normal();
      if (!fs::is_regular_file(root / picture)) {
        damage.add(where + ": " + row.file_name, "the table names a file that is not there");
      }
      captions[picture.generic_string()].push_back(std::move(row.text));
    }
  } catch (const Error& error) {
    damage.add(where, error.what());
  }
}

void scan_folder(const fs::path& root, ScanResult& result, DamageLog& damage) {
  TableCaptions table_captions;
  std::vector<Entry> entries;
  std::map<std::string, size_t> places;
  for (const fs::path& file : list_files(root)) {
    const std::string name = file.filename().string();
    if (is_archive(name)) {
      scan_archive(root / file, result, damage);
    } else if (name == "metadata.csv" || name == "metadata.jsonl") {
      read_table(root, file, table_captions, damage);
    } else if (file.has_extension()) {
      const std::string key = (file.parent_path() / file.stem()).generic_string();
      const auto [found, is_new] = places.emplace(key, entries.size());
      if (is_new) entries.emplace_back().key = key;
      const std::string extension = lower_case(file.extension().string().substr(1));
      place(entries[found->second], extension, {nullptr, 0, 0, (root / file).string()});
    }
  }
  for (Entry& entry : entries) {
    const std::string picture = fs::path(entry.picture.path).lexically_relative(root).generic_string();
    if (const auto rows = table_captions.find(picture); rows != table_captions.end())
      entry.rows = rows->second;
  }
  append_with_pictures(std::move(entries), result, damage);
}

std::vector<std::string> expand_pattern(const std::string& pattern) {
  glob_t matches{};
  const int status = glob(pattern.c_str(), GLOB_BRACE, nullptr, &matches);
  std::vector<std::string> paths(matches.gl_pathv, matches.gl_pathv + (status == 0 ? matches.gl_pathc : 0));
  globfree(&matches);
  check(!paths.empty(), ErrorKind::io, "there is no file or folder '", pattern,
        "'; give a tar archive, a folder, or a quoted pattern such as 'train-*.tar'");
  return paths;
}

}  // namespace

void scan_source(const std::string& source, ScanResult& result, DamageLog& damage) {
  const std::vector<std::string> paths = fs::exists(source) ? std::vector{source} : expand_pattern(source);
  for (const std::string& path : paths) {
    if (fs::is_directory(path)) {
      scan_folder(path, result, damage);
    } else {
      scan_archive(path, result, damage);
    }
  }
}

}  // namespace unclip::data
