// `unclip edit IMAGE --to CAPTION`
#include "apps/cli/captions.h"
#include "apps/cli/flag_checks.h"
#include "apps/cli/invert.h"
#include "apps/cli/strip.h"
#include "unclip/manipulate/slerp.h"
#include "unclip/pipeline/manipulations.h"

namespace unclip::cli {
namespace {

struct Settings {
  std::filesystem::path picture;
  std::string from, to;
  bool has_from = false;
  int64_t frames = 7;
  double theta = 0.4;
  StripFlags flags;
};

void edit(Settings& settings, const Context& context) {
  SamplingFlags& flags = settings.flags.sampling;
  check_caption(settings.to);
  pipeline::EditRequest request{.picture = read_opaque(settings.picture),
                                .from = {},
                                .to = settings.to,
                                .theta = settings.theta,
                                .frames = settings.frames,
                                .path = latent_path(flags),
                                .seed = flags.seeds(1).front(),
                                .sampling = latent_sampling(flags)};
  if (settings.has_from) {
    check_caption(settings.from);
    request.from = settings.from;
  }
  check_strip_targets(settings.flags, static_cast<size_t>(settings.frames));
  pipeline::Unclip model = flags.open(inversion_dtype(flags));
  const pipeline::Pictures drawn = pipeline::edit(model, request, *context.progress);
  std::vector<std::string> labels;
  for (const double theta : manipulate::fractions(settings.frames, settings.theta))
    labels.push_back("θ=" + figure(theta, 2));
  Strip strip{.before = {{as_tile(request.picture, drawn.pictures.size(3)), ""}},
              .frames = frames_of(drawn.pictures, labels),
              .recipe = recipe_of(flags),
              .warnings = drawn.warnings};
  strip.recipe.merge(Recipe{{"command", "edit"},
                            {"image", settings.picture.filename().string()},
                            {"to", settings.to},
                            {"theta", join_text(settings.theta)}});
  if (request.from) strip.recipe["from"] = *request.from;
  write_strip(settings.flags, strip, context);
}

std::function<void()> declare(CLI::App& app, const Context& context) {
  auto settings = std::make_shared<Settings>();
  app.add_option("IMAGE", settings->picture, "a PNG, JPEG or WebP picture")->required();
  CLI::Option* from = app.add_option(
      "--from", settings->from, "a caption of the picture; without it the edit goes straight towards --to");
  app.add_option("--to", settings->to, "a caption of what it shall become")->required();
  app.add_option("--theta", settings->theta, "how far, as a fraction of the angle: of the last frame")
      ->check(between(0.0, 1.0))
      ->capture_default_str();
  app.add_option("--n", settings->frames, "frames from θ = 0 to --theta")
      ->check(between<int64_t>(1, 1000))
      ->capture_default_str();
  settings->flags.sampling.declare_model(app);
  settings->flags.declare_output(app, "edit.png");
  return [&context, settings, from] {
    settings->has_from = from->count() > 0;
    edit(*settings, context);
  };
}

}  // namespace

const Command kEdit{"edit", "move a picture from one caption towards another (text diff)",
                    "  unclip edit cat.png --from \"a cat\" --to \"a blue cat\" -o blue.png\n"
                    "  unclip edit house.png --to \"a house in snow\" --theta 0.5 --webp snow.webp",
                    declare};

}  // namespace unclip::cli
