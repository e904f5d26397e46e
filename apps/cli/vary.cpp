// `unclip vary IMAGE`
#include "apps/cli/invert.h"
#include "unclip/image/decode.h"
#include "unclip/pipeline/manipulations.h"

namespace unclip::cli {
namespace {

struct Settings {
  std::filesystem::path source;  // a picture, or a latent of `embed --invert`
  DrawingFlags flags;
};

bool is_latent(const std::filesystem::path& source) { return source.extension() == ".safetensors"; }

torch::Tensor read_source(const std::filesystem::path& picture) {
  return image::flatten_on(image::read_picture(picture).pixels);
}

/// From the picture's own x_T: the path is a stored latent's own, or of an inversion now.
pipeline::Pictures vary_latent(const Settings& settings,
                               const std::vector<uint64_t>& seeds,
                               const Context& context) {
  const DrawingFlags& flags = settings.flags;
  const bool stored = is_latent(settings.source);
  check(!stored || (flags.steps.empty() && !flags.guidance), ErrorKind::usage,
        "a stored latent has its own steps and guidance: leave --steps and --guidance out");
  const manipulate::LatentPath path = latent_path(flags);
  const pipeline::Drawing drawing = latent_drawing(flags);
  const torch::Tensor picture = stored ? torch::Tensor() : read_source(settings.source);
  const manipulate::Latent known = stored ? manipulate::load_latent(settings.source) : manipulate::Latent{};
  check(!stored || known.z_i.size(0) == 1, ErrorKind::data, settings.source.string(), " holds ",
        stored ? known.z_i.size(0) : 0, " latents, expected one: embed each picture on its own");
  pipeline::Unclip model(flags.model, inversion_dtype(flags));
  const manipulate::Latent latent =
      stored ? known : pipeline::invert(model, {picture}, path, *context.progress);
  return pipeline::draw_latent(model, {latent, flags.eta.value_or(0.0), seeds, drawing}, *context.progress);
}

pipeline::Pictures vary_anew(const Settings& settings,
                             const std::vector<uint64_t>& seeds,
                             const Context& context) {
  const DrawingFlags& flags = settings.flags;
  const pipeline::VaryRequest request{
      .picture = read_source(settings.source), .seeds = seeds, .drawing = flags.drawing()};
  pipeline::Unclip model(flags.model, flags.compute_dtype());
  return model.vary(request, *context.progress);
}

void vary(Settings& settings, const Context& context) {
  DrawingFlags& flags = settings.flags;
  const auto count = static_cast<size_t>(flags.n);
  const std::vector<uint64_t> seeds = flags.seeds(count);
  check_targets(flags, count);
  const bool from_latent = is_latent(settings.source) || flags.eta.has_value();
  const pipeline::Pictures pictures =
      from_latent ? vary_latent(settings, seeds, context) : vary_anew(settings, seeds, context);
  Recipe recipe{{"variation_of", settings.source.filename().string()},
                {"model", flags.model.filename().string()},
                {"size", std::to_string(flags.size)}};
  if (from_latent) recipe["eta"] = join_text(flags.eta.value_or(0.0));
  write_output(flags, {pictures, {}, seeds, recipe}, context);
}

std::function<void()> declare(CLI::App& app, const Context& context) {
  auto settings = std::make_shared<Settings>();
  app.add_option("IMAGE", settings->source,
                 "a PNG, JPEG or WebP picture, or a latent of `unclip embed --invert`")
      ->required();
  settings->flags.declare_drawing(app);
  app.get_option("--eta")->description(
      "start from the picture's own x_T, found by inversion: 0 draws the picture again, 1 varies it most");
  settings->flags.declare_output(app, "variation.png");
  settings->flags.n = 4;
  return [&context, settings] { vary(*settings, context); };
}

}  // namespace

const Command kVary{"vary", "draw variations of a picture: the same z_i, other noise",
                    "  unclip vary cat.png --n 9 -o cats.png\n"
                    "  unclip vary cat.jpg --seed 3 --size 64 --n 1\n"
                    "  unclip vary cat.png --eta 0.5 -o near-cats.png",
                    declare};

}  // namespace unclip::cli
