// `unclip data inspect|pack`
#include <CLI/CLI.hpp>
#include <iostream>

#include "apps/cli/command.h"
#include "apps/cli/json_text.h"
#include "unclip/data/inspect.h"
#include "unclip/data/pack.h"

namespace unclip::cli {
namespace {

struct Settings {
  std::vector<std::string> sources;
  std::filesystem::path out;
  data::PackConfig pack;
};

nlohmann::ordered_json to_json(const data::DatasetReport& r) {
  nlohmann::ordered_json sizes = nlohmann::ordered_json::object();
  for (const auto& [size, count] : r.sizes)
    sizes[std::to_string(size.first) + "x" + std::to_string(size.second)] = count;
  nlohmann::ordered_json damage = nlohmann::ordered_json::array();
  for (const auto& entry : r.damage) damage.push_back({{"name", entry.name}, {"reason", entry.reason}});
  return {{"pictures", r.samples},
          {"archives", r.archives},
          {"sizes", sizes},
          {"formats", r.formats},
          {"bytes", r.picture_bytes},
          {"animated", r.animated},
          {"transparent", r.transparent},
          {"captions", r.captions},
          {"distinct_captions", r.distinct_captions},
          {"fewest_captions", r.fewest_captions},
          {"most_captions", r.most_captions},
          {"without_caption", r.without_caption},
          {"visits_per_epoch", r.visits_per_epoch},
          {"duplicates", r.duplicates},
          {"damaged", r.damaged},
          {"damage", damage},
          {"longest_captions", r.longest_captions}};
}

void print(const data::DatasetReport& report) {
  const nlohmann::ordered_json json = to_json(report);
  for (const auto& [key, value] : json.items()) {
    if (key == "damage" || key == "longest_captions") {
      for (const auto& item : value)
        std::cout << (key == "damage" ? "damaged: " : "longest caption: ") << item.dump() << '\n';
    } else {
      std::cout << key << ": " << value.dump() << '\n';
    }
  }
}

std::function<void()> declare(CLI::App& app, const Context& context) {
  auto settings = std::make_shared<Settings>();
  app.require_subcommand(1);
  CLI::App* inspect = app.add_subcommand("inspect", "count, measure and check pictures and captions");
  CLI::App* pack = app.add_subcommand("pack", "write any data set as WebDataset shards");
  for (CLI::App* sub : {inspect, pack}) {
    sub->add_option("SOURCE", settings->sources, "shards, folders or patterns")->required();
  }
  pack->add_option("-o,--output", settings->out, "folder of the shards")->required();
  pack->add_option("--prefix", settings->pack.prefix, "names: PREFIX-00000.tar")->capture_default_str();
  pack->add_flag("--force", settings->pack.overwrite, "replace existing shards");
  return [inspect, &context, settings] {
    const data::Dataset dataset = data::Dataset::open(settings->sources, {.require_captions = false});
    if (!inspect->parsed()) {
      data::pack(dataset, settings->out, settings->pack, *context.progress);
      return;
    }
    const data::DatasetReport report = data::inspect(dataset, *context.progress);
    context.json ? void(std::cout << json_text(to_json(report)) << '\n') : print(report);
  };
}

}  // namespace

const Command kData{
    "data", "look at a data set, or pack it into shards",
    "  unclip data inspect my-pictures\n  unclip data pack my-pictures -o shards --prefix train", declare};

}  // namespace unclip::cli
