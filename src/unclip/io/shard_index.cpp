#include "unclip/io/shard_index.h"

#include <nlohmann/json.hpp>
#include <set>

#include "unclip/base/error.h"
#include "unclip/io/pickle.h"

namespace unclip::io {
namespace {

constexpr std::string_view kMap = "weight_map";

/// Event by event, so that a repeated name is seen and nothing nested is ever built.
class IndexReader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit IndexReader(const std::string& where) : where_(where) {}

  ShardIndex shards;

  bool start_object(size_t /*count*/) override {
    if (depth_ == 1 && key_ == kMap) {
      check(!seen_map_, ErrorKind::checkpoint, where_, " has two weight maps");
      in_map_ = seen_map_ = true;
    }
    return enter();
  }
  bool end_object() override {
    if (depth_-- == 2) in_map_ = false;
    return true;
  }
  bool start_array(size_t /*count*/) override { return enter(); }
  bool end_array() override {
    --depth_;
    return true;
  }
  bool key(std::string& name) override {
    key_ = name;
    return true;
  }
  bool string(std::string& value) override {
    if (!in_map_) return true;
    const bool is_plain = !value.empty() && value.find('/') == std::string::npos && value.front() != '.' &&
                          printable(value) == value;
    check(is_plain, ErrorKind::checkpoint, where_, " puts '", printable(key_), "' into '", printable(value),
          "', expected the name of a file beside it");
    check(names_.insert(key_).second, ErrorKind::checkpoint, where_, " names '", printable(key_), "' twice");
    shards[value].push_back(key_);
    return true;
  }
  bool null() override { return other(); }
  bool boolean(bool /*value*/) override { return other(); }
  bool number_integer(int64_t /*value*/) override { return other(); }
  bool number_unsigned(uint64_t /*value*/) override { return other(); }
  bool number_float(double /*value*/, const std::string& /*text*/) override { return other(); }
  bool binary(binary_t& /*value*/) override { return other(); }
  bool parse_error(size_t position,
                   const std::string& /*token*/,
                   const nlohmann::detail::exception&) override {
    fail(ErrorKind::checkpoint, where_, " is not valid JSON near byte ", position);
  }

 private:
  /// What is not the map (total_size and the like) is passed over.
  bool other() const {
    check(!in_map_, ErrorKind::checkpoint, where_, " gives no file for '", printable(key_), "'");
    return true;
  }
  bool enter() {
    check(!in_map_ || depth_ == 1, ErrorKind::checkpoint, where_, " gives no file for '", printable(key_),
          "'");
    ++depth_;
    return true;
  }

  std::string where_, key_;
  int depth_ = 0;
  bool in_map_ = false, seen_map_ = false;
  std::set<std::string> names_;
};

}  // namespace

ShardIndex parse_shard_index(std::string_view json, const std::string& where) {
  IndexReader reader(where);
  nlohmann::json::sax_parse(json.begin(), json.end(), &reader);
  check(!reader.shards.empty(), ErrorKind::checkpoint, where, " is no index of weights: it has no '", kMap,
        "' with tensors");
  return std::move(reader.shards);
}

}  // namespace unclip::io
