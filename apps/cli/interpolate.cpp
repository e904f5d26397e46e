// `unclip interpolate A B`
#include "apps/cli/captions.h"
#include "apps/cli/flag_checks.h"
#include "apps/cli/invert.h"
#include "apps/cli/strip.h"
#include "unclip/manipulate/slerp.h"
#include "unclip/pipeline/manipulations.h"

namespace unclip::cli {
namespace {

struct Settings {
  std::string a, b;
  int64_t frames = 9;
  std::string latent = "fixed";
  StripFlags flags;
};

/// An existing path is a picture, all else a caption.
pipeline::Endpoint endpoint(const std::string& argument) {
  if (std::filesystem::exists(argument)) return read_opaque(argument);
  check_caption(argument);
  return argument;
}

/// The picture itself in front of the frames.
void show(const pipeline::Endpoint& end, int64_t size, std::vector<Tile>& tiles) {
  if (const auto* picture = std::get_if<torch::Tensor>(&end)) tiles.push_back({as_tile(*picture, size), ""});
}

void interpolate(Settings& settings, const Context& context) {
  SamplingFlags& flags = settings.flags.sampling;
  check(settings.latent == "fixed" || settings.latent == "inverted", ErrorKind::usage, "--latent is '",
        settings.latent, "', expected fixed or inverted");
  const bool inverted = settings.latent == "inverted";
  check(!inverted || !flags.eta, ErrorKind::usage,
        "--eta has no effect on inverted latents, which are decoded without noise: leave it out");
  pipeline::InterpolateRequest request{.a = endpoint(settings.a),
                                       .b = endpoint(settings.b),
                                       .frames = settings.frames,
                                       .inverted = {},
                                       .seed = flags.seeds(1).front(),
                                       .sampling = inverted ? latent_sampling(flags) : flags.sampling()};
  if (inverted) request.inverted = latent_path(flags);
  check_strip_targets(settings.flags, static_cast<size_t>(settings.frames));
  pipeline::Unclip model = flags.open(inverted ? inversion_dtype(flags) : flags.compute_dtype());
  const pipeline::Pictures drawn = pipeline::interpolate(model, request, *context.progress);
  std::vector<std::string> labels;
  for (const double theta : manipulate::fractions(settings.frames, 1.0))
    labels.push_back("θ=" + figure(theta, 2));
  Strip strip{.before = {},
              .frames = frames_of(drawn.pictures, labels),
              .recipe = recipe_of(flags),
              .warnings = drawn.warnings};
  strip.recipe.merge(Recipe{
      {"command", "interpolate"}, {"from", settings.a}, {"to", settings.b}, {"latent", settings.latent}});
  show(request.a, drawn.pictures.size(3), strip.before);
  show(request.b, drawn.pictures.size(3), strip.before);
  write_strip(settings.flags, strip, context);
}

std::function<void()> declare(CLI::App& app, const Context& context) {
  auto settings = std::make_shared<Settings>();
  app.add_option("A", settings->a, "where it begins: a picture, or a caption if there is no such file")
      ->required();
  app.add_option("B", settings->b, "where it ends")->required();
  app.add_option("--n", settings->frames, "frames, both ends included")
      ->check(between<int64_t>(2, 1000))
      ->capture_default_str();
  app.add_option(
         "--latent", settings->latent,
         "x_T: fixed (one draw for all frames) or inverted (of both pictures, so that the ends reconstruct)")
      ->capture_default_str();
  settings->flags.sampling.declare_model(app);
  settings->flags.sampling.declare_sampler(app);
  settings->flags.declare_output(app, "interpolation.png");
  return [&context, settings] { interpolate(*settings, context); };
}

}  // namespace

const Command kInterpolate{
    "interpolate", "blend two pictures or captions on the way between their z_i",
    "  unclip interpolate cat.png dog.png --n 9 -o between.png --webp between.webp\n"
    "  unclip interpolate \"a red heart\" \"a blue heart\" --seed 7\n"
    "  unclip interpolate cat.png dog.png --latent inverted --size 64 --gif between.gif",
    declare};

}  // namespace unclip::cli
