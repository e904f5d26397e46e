// `unclip vary IMAGE`
#include "apps/cli/drawing_flags.h"
#include "unclip/image/decode.h"

namespace unclip::cli {
namespace {

struct Settings {
  std::filesystem::path picture;
  DrawingFlags flags;
};

void vary(Settings& settings, const Context& context) {
  DrawingFlags& flags = settings.flags;
  const auto count = static_cast<size_t>(flags.n);
  const pipeline::VaryRequest request{
      .picture = image::flatten_on(image::read_picture(settings.picture).pixels),
      .seeds = flags.seeds(count),
      .drawing = flags.drawing()};
  check_targets(flags, count);
  pipeline::Unclip model(flags.model, flags.compute_dtype());
  const pipeline::Pictures pictures = model.vary(request, *context.progress);
  const Recipe recipe{{"variation_of", settings.picture.filename().string()},
                      {"model", flags.model.filename().string()},
                      {"size", std::to_string(flags.size)}};
  write_output(flags, {pictures, {}, request.seeds, recipe}, context);
}

std::function<void()> declare(CLI::App& app, const Context& context) {
  auto settings = std::make_shared<Settings>();
  app.add_option("IMAGE", settings->picture, "a PNG, JPEG or WebP picture")->required();
  settings->flags.declare_drawing(app);
  settings->flags.declare_output(app, "variation.png");
  settings->flags.n = 4;
  return [&context, settings] { vary(*settings, context); };
}

}  // namespace

const Command kVary{"vary", "draw variations of a picture: the same z_i, other noise",
                    "  unclip vary cat.png --n 9 -o cats.png\n  unclip vary cat.jpg --seed 3 --size 64 --n 1",
                    declare};

}  // namespace unclip::cli
