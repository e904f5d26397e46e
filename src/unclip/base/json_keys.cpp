#include "unclip/base/json_keys.h"

#include <nlohmann/json.hpp>
#include <set>

#include "unclip/base/error.h"

namespace unclip {
namespace {

/// Follows the objects of a text; values do not matter.
class KeyReader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit KeyReader(const std::string& where) : where_(where) {}

  bool start_object(size_t /*count*/) override {
    known_.emplace_back();
    return true;
  }
  bool key(std::string& name) override {
    check(known_.back().insert(name).second, ErrorKind::config, where_, ": '", name,
          "' appears twice, expected once");
    return true;
  }
  bool end_object() override {
    known_.pop_back();
    return true;
  }
  bool start_array(size_t /*count*/) override { return true; }
  bool end_array() override { return true; }
  bool null() override { return true; }
  bool boolean(bool /*value*/) override { return true; }
  bool number_integer(int64_t /*value*/) override { return true; }
  bool number_unsigned(uint64_t /*value*/) override { return true; }
  bool number_float(double /*value*/, const std::string& /*text*/) override { return true; }
  bool string(std::string& /*value*/) override { return true; }
  bool binary(binary_t& /*value*/) override { return true; }
  bool parse_error(size_t /*position*/,
                   const std::string& /*last_token*/,
                   const nlohmann::json::exception& /*error*/) override {
    return false;
  }

 private:
  const std::string& where_;
  std::vector<std::set<std::string>> known_{};  // keys so far, of each object around here
};

}  // namespace

void check_json_keys(std::string_view json, const std::string& where) {
  KeyReader reader(where);
  nlohmann::json::sax_parse(json.begin(), json.end(), &reader);
}

}  // namespace unclip
