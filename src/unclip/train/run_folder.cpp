#include "unclip/train/run_folder.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "unclip/base/config.h"
#include "unclip/io/file.h"

namespace unclip::train {
namespace fs = std::filesystem;
namespace {

constexpr int64_t kMaxJson = 1 << 20;
constexpr const char* kPrefix = "step-";

/// N of a folder called step-N.
std::optional<int64_t> step_of(const fs::path& folder) {
  const std::string name = folder.filename().string();
  int64_t step = 0;
  if (!name.starts_with(kPrefix)) return std::nullopt;
  const char* end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data() + std::string_view(kPrefix).size(), end, step);
  return error == std::errc() && stop == end ? std::make_optional(step) : std::nullopt;
}

std::map<int64_t, fs::path> checkpoints_in(const fs::path& run) {
  std::map<int64_t, fs::path> result;
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator(run / "checkpoints", missing)) {
    if (const auto step = step_of(entry.path())) result[*step] = entry.path();
  }
  return result;
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  check(!error, ErrorKind::io, "cannot make the folder '", folder.string(), "': ", error.message());
}

}  // namespace

DataRecord record_of(const data::Dataset& trained_on) {
  return {.pictures = trained_on.size(), .fingerprint = trained_on.fingerprint()};
}

void RunFolder::create(const std::string& config_json,
                       const std::string& command,
                       const DataRecord& data) const {
  check(checkpoints_in(path_).empty() && !fs::exists(path_ / "config.json"), ErrorKind::io, "'",
        path_.string(),
        "' already holds a run: add --resume to go on with it, or name another folder with --out");
  make_folder(path_ / "samples");
  make_folder(path_ / "checkpoints");
  io::write_file_atomically(path_ / "data.json", config_to_json(data));
  io::write_file_atomically(path_ / "command.txt", command + "\n");
  io::write_file_atomically(path_ / "config.json", config_json);
}

void RunFolder::check_same_data(const DataRecord& given) const {
  const fs::path file = path_ / "data.json";
  if (!fs::exists(file)) return;  // a run from before such records
  const auto stored = config_from_json<DataRecord>(io::read_text(file, kMaxJson), file.string());
  check(stored == given, ErrorKind::config, "'", path_.string(),
        "' was started with other data: ", stored.pictures, " pictures then, ", given.pictures,
        stored.pictures == given.pictures ? " now, of other names or captions" : " now",
        "; put back what was there, or train in another folder");
}

std::string RunFolder::stored_config() const { return io::read_text(path_ / "config.json", kMaxJson); }

std::string stage_of(const std::string& config_json) {
  const auto json = nlohmann::json::parse(config_json, nullptr, false);
  if (!json.is_object() || !json.contains("stage") || !json["stage"].is_string()) return "";
  return json["stage"].get<std::string>();
}

void check_same_config(const std::string& stored, const std::string& given, const fs::path& run) {
  const auto changes = nlohmann::json::diff(nlohmann::json::parse(stored), nlohmann::json::parse(given));
  if (changes.empty()) return;
  fail(ErrorKind::config, "'", run.string(), "' was started with another configuration, first at ",
       changes[0].value("path", std::string("?")), ": use the one that is stored there, or another folder");
}

void RunFolder::save(const Checkpoint& checkpoint, int64_t keep) const {
  const fs::path final_name = path_ / "checkpoints" / (kPrefix + std::to_string(checkpoint.position.step));
  const fs::path temporary = path_ / "checkpoints" / ".writing";
  fs::remove_all(temporary);
  make_folder(temporary);
  io::write_safetensors(temporary / "model.safetensors", checkpoint.tensors.model);
  io::write_safetensors(temporary / "ema.safetensors", checkpoint.tensors.ema);
  io::write_safetensors(temporary / "optimizer.safetensors", checkpoint.tensors.optimizer);
  io::write_file_atomically(temporary / "position.json", config_to_json(checkpoint.position));
  fs::remove_all(final_name);
  std::error_code error;
  fs::rename(temporary, final_name, error);
  check(!error, ErrorKind::io, "cannot name '", final_name.string(), "': ", error.message());
  auto all = checkpoints_in(path_);
  while (static_cast<int64_t>(all.size()) > keep) {
    fs::remove_all(all.begin()->second);
    all.erase(all.begin());
  }
}

std::optional<fs::path> RunFolder::latest() const {
  const auto all = checkpoints_in(path_);
  return all.empty() ? std::nullopt : std::make_optional(all.rbegin()->second);
}

std::optional<Checkpoint> RunFolder::load_latest() const {
  const auto folder = latest();
  if (!folder) return std::nullopt;
  const auto tensors = [&](const char* name) { return io::SafetensorsFile(*folder / name).tensors(); };
  const std::string position = io::read_text(*folder / "position.json", kMaxJson);
  return Checkpoint{
      config_from_json<Position>(position, (*folder / "position.json").string()),
      {tensors("model.safetensors"), tensors("ema.safetensors"), tensors("optimizer.safetensors")}};
}

std::filesystem::path RunFolder::require_latest() const {
  const auto folder = latest();
  if (!folder) fail(ErrorKind::io, "'", path_.string(), "' has no checkpoint yet: train it first");
  return *folder;
}

void RunFolder::append_log(const std::string& json_line) const {
  std::ofstream log(path_ / "log.jsonl", std::ios::app);
  log << json_line << "\n";
  log.flush();
  check(log.good(), ErrorKind::io, "cannot write '", (path_ / "log.jsonl").string(), "': is the disk full?");
}

fs::path RunFolder::sheet(int64_t step) const {
  return path_ / "samples" / (kPrefix + std::to_string(step) + ".png");
}

}  // namespace unclip::train
