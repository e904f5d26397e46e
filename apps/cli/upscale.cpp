// `unclip upscale IMAGE…`
#include "unclip/pipeline/upscaling.h"

#include "apps/cli/flag_checks.h"
#include "apps/cli/results.h"
#include "apps/cli/strip.h"
#include "unclip/image/sheet.h"

namespace unclip::cli {
namespace {

constexpr int64_t kSheetTile = 256;

struct Settings {
  std::vector<std::filesystem::path> pictures;
  std::optional<int64_t> from;
  SamplingFlags flags;
};

Results results_of(Settings& settings, pipeline::Upscaled upscaled, const std::vector<uint64_t>& seeds) {
  Recipe recipe = recipe_of(settings.flags);
  recipe["command"] = "upscale";
  if (settings.from) recipe["from"] = std::to_string(*settings.from);
  Results results{
      .pictures = std::move(upscaled.pictures), .recipes = {}, .sheet = {}, .warnings = upscaled.warnings};
  std::vector<torch::Tensor> tiles;
  for (size_t i = 0; i < results.pictures.size(); ++i) {
    recipe["image"] = settings.pictures[i].filename().string();
    recipe["seed"] = std::to_string(seeds[i]);
    results.recipes.push_back(recipe);
    tiles.push_back(as_tile(results.pictures[i], kSheetTile));
  }
  if (tiles.size() > 1) results.sheet = image::contact_sheet(tiles);
  return results;
}

void upscale(Settings& settings, const Context& context) {
  SamplingFlags& flags = settings.flags;
  pipeline::UpscaleRequest request{.pictures = {},
                                   .from = settings.from,
                                   .seeds = flags.seeds(settings.pictures.size()),
                                   .sampling = flags.sampling()};
  check_targets(flags, request.seeds.size());
  for (const std::filesystem::path& picture : settings.pictures)
    request.pictures.emplace_back(picture.string(), read_opaque(picture));
  pipeline::Unclip model = flags.open(flags.compute_dtype());
  write_results(flags,
                results_of(settings, pipeline::upscale(model, request, *context.progress), request.seeds),
                context);
}

std::function<void()> declare(CLI::App& app, const Context& context) {
  auto settings = std::make_shared<Settings>();
  app.add_option("IMAGE", settings->pictures, "PNG, JPEG or WebP pictures")->required();
  app.add_option("--from", settings->from,
                 "reduce pictures to this shorter side first, one that an upsampler begins at (default: the "
                 "largest that a picture reaches)");
  settings->flags.declare_enlarging(
      app, "shorter side of the result in pixels, of those that the model draws (default: the largest)");
  settings->flags.declare_seed(app);
  settings->flags.declare_output(app, "upscaled.png");
  return [&context, settings] { upscale(*settings, context); };
}

}  // namespace

const Command kUpscale{"upscale", "enlarge pictures by the model's upsamplers",
                       "  unclip upscale small.png -o large.png\n"
                       "  unclip upscale *.png --from 64 --size 256 -o enlarged.png",
                       declare};

}  // namespace unclip::cli
