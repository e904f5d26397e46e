#include "unclip/data/pack.h"

#include <iomanip>
#include <nlohmann/json.hpp>
#include <sstream>

#include "unclip/base/error.h"
#include "unclip/data/archive.h"
#include "unclip/image/decode.h"
#include "unclip/io/file.h"

namespace unclip::data {
namespace {

std::string zero_padded(int64_t number, int width) {
  std::ostringstream text;
  text << std::setw(width) << std::setfill('0') << number;
  return text.str();
}

std::string describe(const Sample& sample) {
  auto json = sample.json.empty() ? nlohmann::json::object() : nlohmann::json::parse(sample.json);
  json["key"] = sample.key;
  json["captions"] = sample.captions;
  json["weight"] = sample.weight;
  return json.dump();
}

std::string join_lines(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

/// Collects samples and writes a shard whenever one is full.
class ShardWriter {
 public:
  ShardWriter(std::filesystem::path folder, const PackConfig& config)
      : folder_(std::move(folder)), config_(config) {}

  void add(const Sample& sample) {
    const std::string name = zero_padded(total_++, 9);
    add_member(name + "." + sample.extension, sample.picture.text());
    add_member(name + ".json", describe(sample));
    add_member(name + ".txt", join_lines(sample.captions));
    ++in_shard_;
    if (in_shard_ >= config_.samples_per_shard || builder_.size() >= config_.shard_mb << 20) end_shard();
  }

  void end_shard() {
    if (in_shard_ == 0) return;
    const std::string name =
        config_.prefix + "-" + zero_padded(static_cast<int64_t>(shards_.size()), 5) + ".tar";
    const std::filesystem::path path = folder_ / name;
    check(config_.overwrite || !std::filesystem::exists(path), ErrorKind::io, path.string(),
          " exists already; choose another folder or prefix, or allow overwriting");
    io::write_file_atomically(path, builder_.finish());
    shards_.push_back(path);
    in_shard_ = 0;
  }

  const std::vector<std::filesystem::path>& shards() const { return shards_; }
  int64_t samples() const { return total_; }

 private:
  void add_member(const std::string& name, std::string_view content) {
    builder_.add(name, {reinterpret_cast<const uint8_t*>(content.data()), content.size()});
  }

  std::filesystem::path folder_;
  PackConfig config_;
  ArchiveBuilder builder_;
  std::vector<std::filesystem::path> shards_;
  int64_t total_ = 0;
  int64_t in_shard_ = 0;
};

}  // namespace

void PackConfig::validate() const {
  check(!prefix.empty() && prefix.find('/') == std::string::npos, ErrorKind::config, "prefix is '", prefix,
        "', expected the beginning of a file name");
  check(samples_per_shard >= 1, ErrorKind::config, "samples_per_shard is ", samples_per_shard,
        ", expected 1 or more");
  check(shard_mb >= 1 && shard_mb <= 4096, ErrorKind::config, "shard_mb is ", shard_mb,
        ", expected 1 to 4096");
}

PackReport pack(const Dataset& dataset,
                const std::filesystem::path& folder,
                const PackConfig& config,
                Progress& progress) {
  config.validate();
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  check(!error, ErrorKind::io, "folder ", folder.string(), " cannot be made: ", error.message());
  ShardWriter writer(folder, config);
  DamageLog damage;
  progress.begin("pack", dataset.size());
  for (int64_t index = 0; index < dataset.size(); ++index) {
    progress.throw_if_stopped();
    progress.advance();
    const Sample sample = dataset.sample(index);
    try {
      image::decode(sample.picture.data, sample.key);
    } catch (const Error& reason) {
      damage.add(sample.key, reason.what());
      continue;
    }
    writer.add(sample);
  }
  writer.end_shard();
  progress.end();
  return {writer.samples(), writer.shards(), damage.count(), damage.entries()};
}

}  // namespace unclip::data
