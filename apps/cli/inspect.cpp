// `unclip inspect DIR`
#include <CLI/CLI.hpp>
#include <iostream>

#include "apps/cli/command.h"
#include "apps/cli/json_text.h"
#include "unclip/pipeline/model_directory.h"

namespace unclip::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// Parameters, bytes and dtypes of one stage's weights.
Json weights_of(const fs::path& folder) {
  const io::SafetensorsFile file(folder / "model.safetensors");
  int64_t parameters = 0, bytes = 0;
  std::map<std::string, int64_t> dtypes;
  for (const auto& [name, tensor] : file.tensors()) {
    parameters += tensor.numel();
    bytes += tensor.numel() * tensor.element_size();
    dtypes[c10::toString(tensor.scalar_type())] += tensor.numel();
  }
  return {{"parameters", parameters}, {"bytes", bytes}, {"dtypes", dtypes}};
}

Json describe(const fs::path& path) {
  check(fs::is_directory(path), ErrorKind::io, "there is no folder '", path.string(), "'");
  const pipeline::ModelDirectory model(path);
  const pipeline::Manifest& m = model.manifest();
  Json stages = Json::object();
  for (const auto& [stage, folder] : m.stages) stages[stage] = weights_of(model.stage(stage));
  return {{"kind", "unclip model"},
          {"name", m.name},
          {"version", m.version},
          {"licence", m.licence},
          {"attribution", m.attribution},
          {"trained_on", m.trained_on},
          {"stages", stages}};
}

void print(const Json& description) {
  for (const auto& [key, value] : description.items()) {
    if (key != "stages") {
      std::cout << key << ": " << (value.is_string() ? value.get<std::string>() : value.dump()) << '\n';
      continue;
    }
    for (const auto& [stage, weights] : value.items()) {
      std::cout << "stage " << stage << ": " << weights["parameters"] << " parameters, " << weights["bytes"]
                << " bytes, " << weights["dtypes"].dump() << '\n';
    }
  }
}

std::function<void()> declare(CLI::App& app, const Context& context) {
  auto path = std::make_shared<fs::path>();
  app.add_option("DIR", *path, "a model directory")->required();
  return [&context, path] {
    const Json description = describe(*path);
    context.json ? void(std::cout << json_text(description) << '\n') : print(description);
  };
}

}  // namespace

const Command kInspect{"inspect", "say what a model folder is and holds", "  unclip inspect models/emoji",
                       declare};

}  // namespace unclip::cli
