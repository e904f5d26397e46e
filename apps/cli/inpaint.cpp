// `unclip inpaint IMAGE --mask M CAPTION`
#include "apps/cli/captions.h"
#include "apps/cli/flag_checks.h"
#include "apps/cli/results.h"
#include "apps/cli/strip.h"
#include "unclip/image/decode.h"
#include "unclip/image/sheet.h"
#include "unclip/manipulate/mask.h"
#include "unclip/pipeline/inpainting.h"

namespace unclip::cli {
namespace {

struct Settings {
  std::filesystem::path picture, mask;
  std::string caption;
  std::string method = "best";
  pipeline::InpaintRequest request;
  SamplingFlags flags;
};

/// The mask file, or the picture's own transparency.
torch::Tensor read_mask(const Settings& settings, const torch::Tensor& picture) {
  if (!settings.mask.empty()) {
    try {
      return manipulate::repaint_mask(image::read_picture(settings.mask).pixels);
    } catch (const Error& error) {
      fail(error.kind(), settings.mask.string(), ": ", error.what());
    }
  }
  const bool transparent = picture.size(2) == 4 && (picture.select(2, 3) < 255).any().item<bool>();
  check(transparent, ErrorKind::usage,
        "which part shall be repainted? Give a mask, --mask FILE, or a picture that is transparent there");
  return manipulate::repaint_mask(picture);
}

/// JPEG would change the pixels that must stay.
void check_lossless(const std::filesystem::path& output) {
  check(output.extension() != ".jpg" && output.extension() != ".jpeg", ErrorKind::usage, "--output is '",
        output.string(), "', but a JPEG changes the pixels that shall stay: choose .png or .webp");
}

pipeline::InpaintMethod method_named(const std::string& name) {
  try {
    return enum_from_name<pipeline::InpaintMethod>(name, "--method");
  } catch (const Error& error) {
    fail(ErrorKind::usage, error.what());
  }
}

/// The picture with its hole, then the results.
torch::Tensor sheet_of(const pipeline::InpaintRequest& request, const std::vector<torch::Tensor>& results) {
  torch::Tensor hole = image::flatten_on(request.picture).clone();
  hole.index_put_({request.mask}, 160);
  std::vector<torch::Tensor> tiles{image::flatten_on(request.picture), hole};
  tiles.insert(tiles.end(), results.begin(), results.end());
  return image::contact_sheet(tiles, {.columns = static_cast<int64_t>(tiles.size())});
}

void write(Settings& settings, const pipeline::Inpainted& drawn, const Context& context) {
  Recipe recipe = recipe_of(settings.flags);
  recipe.merge(Recipe{{"command", "inpaint"},
                      {"image", settings.picture.filename().string()},
                      {"mask", settings.mask.filename().string()},
                      {"caption", settings.caption},
                      {"method", settings.method}});
  Results results{.pictures = drawn.pictures, .recipes = {}, .sheet = {}, .warnings = drawn.warnings};
  for (const uint64_t seed : settings.request.seeds) {
    recipe["seed"] = std::to_string(seed);
    results.recipes.push_back(recipe);
  }
  if (drawn.pictures.size() > 1) results.sheet = sheet_of(settings.request, drawn.pictures);
  write_results(settings.flags, results, context);
}

void inpaint(Settings& settings, const Context& context) {
  SamplingFlags& flags = settings.flags;
  pipeline::InpaintRequest& request = settings.request;
  check_caption(settings.caption);
  check_lossless(flags.output);
  request.caption = settings.caption;
  request.method = method_named(settings.method);
  request.sampling = flags.sampling();
  request.seeds = flags.seeds(static_cast<size_t>(flags.n));
  check_targets(flags, request.seeds.size());
  request.picture = image::read_picture(settings.picture).pixels;
  request.mask = read_mask(settings, request.picture);
  pipeline::Unclip model = flags.open(flags.compute_dtype());
  write(settings, pipeline::inpaint(model, request, *context.progress), context);
}

std::function<void()> declare(CLI::App& app, const Context& context) {
  auto settings = std::make_shared<Settings>();
  app.add_option("IMAGE", settings->picture, "a PNG, JPEG or WebP picture")->required();
  app.add_option("CAPTION", settings->caption, "what the whole picture shall show")->required();
  app.add_option("--mask", settings->mask,
                 "a picture of the same size: what is white, or transparent, is repainted (default: what is "
                 "transparent in IMAGE)");
  app.add_option("--method", settings->method,
                 "resampling (no training), finetuned (the stage decoder_inpaint) or best (that, if the "
                 "model has it)")
      ->capture_default_str();
  manipulate::InpaintOptions& options = settings->request.options;
  CLI::Option* resamplings =
      app.add_option("--resamplings", options.resamplings,
                     "of the resampling: how often each stretch of steps is gone through")
          ->check(between<int64_t>(1, 100))
          ->capture_default_str();
  CLI::Option* jump = app.add_option("--jump", options.jump_length, "of the resampling: steps of a stretch")
                          ->check(between<int64_t>(1, 1000))
                          ->capture_default_str();
  app.add_option("--eta", options.eta, "noise of the steps: 1 (ancestral) to 0 (ddim)")
      ->check(between(0.0, 1.0))
      ->capture_default_str();
  settings->flags.declare_model(app);
  app.add_option("--n", settings->flags.n, "results")
      ->check(between<int64_t>(1, 10000))
      ->capture_default_str();
  settings->flags.declare_prior(app);
  settings->flags.declare_output(app, "inpainted.png");
  return [&context, settings, resamplings, jump] {
    check(settings->method != "finetuned" || resamplings->count() + jump->count() == 0, ErrorKind::usage,
          "--resamplings and --jump have no effect on --method finetuned: leave them out");
    inpaint(*settings, context);
  };
}

}  // namespace

const Command kInpaint{"inpaint", "repaint a part of a picture from a caption",
                       "  unclip inpaint face.png \"a cat face with a hat\" --mask hat-mask.png -o hat.png\n"
                       "  unclip inpaint face-with-a-hole.png \"a cat face\" --n 4 --seed 7",
                       declare};

}  // namespace unclip::cli
