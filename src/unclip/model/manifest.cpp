#include "unclip/model/manifest.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "unclip/io/file.h"

namespace unclip::model {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kMaxConfig = 1 << 20;
constexpr int64_t kFormat = 1;

std::string text_of(const Json& json, const char* key) { return json.value(key, std::string()); }

std::vector<std::string> list_of(const Json& json, const char* key) {
  return json.value(key, std::vector<std::string>());
}

/// All but the stages.
Manifest read_description(const Json& json) {
  return {.name = text_of(json, "name"),
          .version = text_of(json, "version"),
          .licence = text_of(json, "licence"),
          .card = text_of(json, "card"),
          .attribution = list_of(json, "attribution"),
          .trained_on = list_of(json, "trained_on"),
          .stages = {}};
}

Manifest read_manifest(const Json& json, const std::string& where) {
  check(json.is_object() && json.contains("format"), ErrorKind::config, where, " is no model description");
  check(json["format"] == kFormat, ErrorKind::config, where, " has format ", json["format"].dump(),
        ", expected ", kFormat, ": it was made by another version of this program");
  Manifest manifest = read_description(json);
  const Json stages = json.value("stages", Json::object());
  for (const auto& [stage, settings] : stages.items()) {
    const fs::path folder = settings.value("dir", stage);
    check(folder.is_relative() && folder.lexically_normal().begin()->string() != "..", ErrorKind::config,
          where, ": stage '", stage, "' lies outside of the model directory");
    manifest.stages[stage] = folder.string();
  }
  if (json.contains("drawing"))
    manifest.sampling = config_from_json<SamplingRules>(json["drawing"].dump(), where);
  manifest.context_length = json.value("context_length", int64_t{0});
  return manifest;
}

}  // namespace

std::string read_config_text(const fs::path& file) { return io::read_text(file, kMaxConfig); }

Manifest read_card(const fs::path& file) {
  const std::vector<std::string> keys{"name", "version", "licence", "card", "attribution", "trained_on"};
  try {
    const Json json = Json::parse(read_config_text(file));
    for (const auto& [key, value] : json.items()) {
      check(std::ranges::find(keys, key) != keys.end(), ErrorKind::config, file.string(), ": unknown key '",
            key, "', expected name, version, licence, card, attribution or trained_on");
    }
    return read_description(json);
  } catch (const nlohmann::json::exception& error) {
    fail(ErrorKind::config, file.string(), " is no model card: ", error.what());
  }
}

ModelDirectory::ModelDirectory(fs::path path) : path_(std::move(path)) {
  const fs::path file = path_ / "model.json";
  check(fs::exists(file), ErrorKind::io, "'", path_.string(),
        "' is no model directory: it has no model.json (see `unclip inspect`)");
  try {
    manifest_ = read_manifest(Json::parse(read_config_text(file)), file.string());
  } catch (const nlohmann::json::exception& error) {
    fail(ErrorKind::config, file.string(), " is damaged: ", error.what());
  }
}

void fail_missing_stage(const fs::path& path, const Manifest& manifest, const std::string& name) {
  std::string known;
  for (const auto& [stage, folder] : manifest.stages) known += (known.empty() ? "" : ", ") + stage;
  fail(ErrorKind::checkpoint, "the model '", path.string(), "' has no stage '", name, "', only: ", known);
}

fs::path ModelDirectory::stage(const std::string& name) const {
  if (!has(name)) fail_missing_stage(path_, manifest_, name);
  return path_ / manifest_.stages.at(name);
}

void write_manifest(const fs::path& model, const Manifest& manifest) {
  Json json;
  json["format"] = kFormat;
  json["name"] = manifest.name;
  json["version"] = manifest.version;
  json["licence"] = manifest.licence;
  json["attribution"] = manifest.attribution;
  json["trained_on"] = manifest.trained_on;
  json["card"] = manifest.card;
  if (manifest.sampling != SamplingRules{}) json["drawing"] = Json::parse(config_to_json(manifest.sampling));
  if (manifest.context_length > 0) json["context_length"] = manifest.context_length;
  json["stages"] = Json::object();
  for (const auto& [stage, folder] : manifest.stages) json["stages"][stage] = {{"dir", folder}};
  io::write_file_atomically(model / "model.json", json.dump(2) + "\n");
}

}  // namespace unclip::model
