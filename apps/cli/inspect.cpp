// `unclip inspect DIR`
#include <CLI/CLI.hpp>
#include <iostream>

#include "apps/cli/bundled_model.h"
#include "apps/cli/command.h"
#include "apps/cli/json_text.h"
#include "unclip/model/summary.h"

namespace unclip::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

Json describe(const model::PartSummary& part) {
  if (!part.problem.empty()) return {{"missing", part.problem}};
  return {{"parameters", part.parameters}, {"bytes", part.bytes}, {"dtypes", part.dtypes}};
}

Json memory_of(const model::FolderSummary& summary, int64_t element_size) {
  const model::MemoryNeed need = memory_need(summary, element_size);
  return {{"all_weights", need.all}, {"largest_stage", need.largest_part}};
}

Json describe(const fs::path& path) {
  const model::FolderSummary summary = model::summarize(path, clip_vocabulary());
  const model::Manifest& m = summary.manifest;
  Json stages = Json::object();
  for (const model::PartSummary& part : summary.parts) stages[part.name] = describe(part);
  Json result{{"kind", summary.kind},
              {"name", m.name},
              {"version", m.version},
              {"licence", m.licence},
              {"attribution", m.attribution},
              {"trained_on", m.trained_on},
              {"stages", stages},
              {"bytes_as_fp32", memory_of(summary, sizeof(float))},
              {"bytes_as_bf16", memory_of(summary, sizeof(float) / 2)}};
  if (!summary.problem.empty()) result["problem"] = summary.problem;
  if (!summary.unknown_keys.empty()) result["unknown_settings"] = summary.unknown_keys;
  return result;
}

void print_stage(const std::string& name, const Json& stage) {
  std::cout << "stage " << name << ": ";
  if (stage.contains("missing")) {
    std::cout << "missing: " << stage["missing"].get<std::string>() << '\n';
    return;
  }
  std::cout << stage["parameters"] << " parameters, " << stage["bytes"] << " bytes, "
            << stage["dtypes"].dump() << '\n';
}

void print(const Json& description) {
  for (const auto& [key, value] : description.items()) {
    if (key == "stages") {
      for (const auto& [name, stage] : value.items()) print_stage(name, stage);
    } else {
      std::cout << key << ": " << (value.is_string() ? value.get<std::string>() : value.dump()) << '\n';
    }
  }
}

std::function<void()> declare(CLI::App& app, const Context& context) {
  auto path = std::make_shared<fs::path>();
  app.add_option("DIR", *path, "a model of any layout: ours, Karlo's, a CLIP")->required();
  return [&context, path] {
    const Json description = describe(*path);
    context.json ? void(std::cout << json_text(description) << '\n') : print(description);
  };
}

}  // namespace

const Command kInspect{"inspect", "say what a model folder is and holds",
                       "  unclip inspect models/emoji\n  unclip inspect karlo-v1-alpha --json\n"
                       "  unclip inspect ViT-L-14.pt",
                       declare};

}  // namespace unclip::cli
