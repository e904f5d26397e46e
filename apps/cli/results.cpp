#include "apps/cli/results.h"

#include <iostream>

#include "apps/cli/application.h"
#include "apps/cli/json_text.h"
#include "unclip/image/encode.h"

namespace unclip::cli {

void write_results(const SamplingFlags& flags, const Results& results, const Context& context) {
  const std::vector<std::filesystem::path> names = target_names(flags, results.pictures.size());
  auto written = nlohmann::ordered_json::array();
  for (size_t i = 0; i < results.pictures.size(); ++i) {
    nlohmann::ordered_json recipe(results.recipes[i]);
    recipe["version"] = version();
    image::write_picture(names[i], results.pictures[i],
                         {.text = {{kRecipeKeyword, json_text(recipe)}}, .force = flags.force});
    recipe["file"] = names[i].string();
    written.push_back(recipe);
    if (!context.json && !context.quiet)
      std::cerr << names[i].string() << "  seed " << results.recipes[i].at("seed") << '\n';
  }
  if (names.size() > results.pictures.size())
    image::write_picture(names.back(), results.sheet, {.force = flags.force});
  for (const std::string& warning : results.warnings) std::cerr << "unclip: note: " << warning << '\n';
  if (context.json) std::cout << json_text({{"pictures", written}, {"warnings", results.warnings}}) << '\n';
}

}  // namespace unclip::cli
