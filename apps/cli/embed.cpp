// `unclip embed --invert IMAGE…`
#include "apps/cli/invert.h"

namespace unclip::cli {
namespace {

struct Settings {
  std::vector<std::filesystem::path> pictures;
  bool invert = false;
  DrawingFlags flags;
};

std::function<void()> declare(CLI::App& app, const Context& context) {
  auto settings = std::make_shared<Settings>();
  app.add_option("IMAGE", settings->pictures, "PNG, JPEG or WebP pictures")->required();
  app.add_flag("--invert", settings->invert,
               "store z_i and the x_T from which the decoder draws each picture again")
      ->required();
  settings->flags.declare_model(app);
  settings->flags.declare_output(app, "latent.safetensors");
  return [&context, settings] { write_latent(settings->pictures, settings->flags, context); };
}

}  // namespace

const Command kEmbed{"embed", "store a picture's latent (z_i, x_T)",
                     "  unclip embed --invert cat.png -o cat.safetensors\n"
                     "  unclip vary cat.safetensors --eta 0 -o same-cat.png",
                     declare};

}  // namespace unclip::cli
