// Any bytes as the JSON of a released model: an Error, or values in the ranges that are promised.
#include <cstdlib>
#include <functional>

#include "unclip/base/error.h"
#include "unclip/io/shard_index.h"
#include "unclip/model/foreign_config.h"

namespace {

using unclip::model::ForeignConfig;

constexpr int64_t kMaxCount = 1'000'000;

void attempt(const std::function<void()>& action) {
  try {
    action();
  } catch (const unclip::Error&) {
  }
}

void check_count(int64_t count) {
  if (count < 1 || count > kMaxCount) std::abort();
}

/// Every way to read a value, of keys that the seeds have.
void read_everything(ForeignConfig& config, int depth) {
  for (const char* key :
       {"hidden_size", "size", "layer_norm_eps", "hidden_act", "text_config", "image_mean", "eos_token_id"}) {
    attempt([&] { check_count(config.count(key, 7)); });
    attempt([&] { check_count(config.same_count(key, 7, "shortest_edge")); });
    attempt([&] { check_count(config.extent(key, 7).first); });
    attempt([&] { config.number(key, 1.0); });
    attempt([&] { config.flag(key, true); });
    attempt([&] { config.text(key, ""); });
    attempt([&] { config.texts(key); });
    attempt([&] { config.counts(key); });
    attempt([&] { config.optional_integer(key); });
    attempt([&] { config.expect(key, {"3", R"("gelu")"}); });
    attempt([&] {
      if (config.numbers(key, {1, 2, 3}).size() != 3) std::abort();
    });
    attempt([&] {
      ForeignConfig part = config.part(key);
      if (depth < 3) read_everything(part, depth + 1);
    });
  }
  config.unknown_keys();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  attempt([&] {
    ForeignConfig config(text, "input");
    read_everything(config, 0);
  });
  attempt([&] {
    for (const auto& [file, names] : unclip::io::parse_shard_index(text, "input")) {
      if (file.empty() || names.empty() || file.find('/') != std::string::npos) std::abort();
    }
  });
  return 0;
}
