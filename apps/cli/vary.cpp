// `unclip vary IMAGE`
#include "apps/cli/invert.h"
#include "unclip/image/decode.h"
#include "unclip/pipeline/manipulations.h"

namespace unclip::cli {
namespace {

struct Settings {
  std::filesystem::path source;  // a picture, or a latent of `embed --invert`
  SamplingFlags flags;
};

struct Varied {
  pipeline::Pictures pictures;
  std::vector<uint64_t> seeds;  // one per picture
  std::vector<StageRecord> stages{};
};

bool is_latent(const std::filesystem::path& source) { return source.extension() == ".safetensors"; }

torch::Tensor read_source(const std::filesystem::path& picture) {
  return image::flatten_on(image::read_picture(picture).pixels);
}

/// Each row `count` times, copies side by side.
manipulate::Latent repeated(const manipulate::Latent& latent, int64_t count) {
  return {latent.z_i.repeat_interleave(count, 0), latent.x_T.repeat_interleave(count, 0), latent.path};
}

/// A stored latent goes its own way back.
manipulate::Latent read_latent(const Settings& settings) {
  const SamplingFlags& flags = settings.flags;
  check(flags.steps.empty() && !flags.guidance, ErrorKind::usage,
        "a stored latent has its own steps and guidance: leave --steps and --guidance out");
  return manipulate::load_latent(settings.source);
}

/// From the picture's own x_T, of a stored latent or of an inversion now.
Varied vary_latent(Settings& settings, const Context& context) {
  SamplingFlags& flags = settings.flags;
  check(flags.memory.empty(), ErrorKind::usage,
        "--memory has no effect where the picture's own x_T is used: leave --memory or --eta out");
  check(!flags.candidates, ErrorKind::usage,
        "--candidates has no effect where the picture's own x_T is used: leave it or --eta out");
  check(flags.noise.empty(), ErrorKind::usage,
        "--noise replaces a fresh x_T, but the picture's own is used here: leave --eta out");
  const bool stored = is_latent(settings.source);
  const manipulate::LatentPath path = latent_path(flags);
  const pipeline::SamplingOptions sampling = latent_sampling(flags);
  manipulate::Latent latent = stored ? read_latent(settings) : manipulate::Latent{};
  const torch::Tensor picture = stored ? torch::Tensor() : read_source(settings.source);
  const int64_t count = flags.n * (stored ? latent.z_i.size(0) : 1);
  std::vector<uint64_t> seeds = flags.seeds(static_cast<size_t>(count));
  check_targets(flags, seeds.size());
  pipeline::Unclip model = flags.open(inversion_dtype(flags));
  pipeline::make_plan(model.model(), sampling);  // what is wrong with it shows before long work
  if (!stored) latent = pipeline::invert(model, {picture}, path, *context.progress);
  return {pipeline::draw_latent(model, {repeated(latent, flags.n), flags.eta.value_or(0.0), seeds, sampling},
                                *context.progress),
          seeds};
}

Varied vary_anew(Settings& settings, const Context& context) {
  SamplingFlags& flags = settings.flags;
  const pipeline::VaryRequest request{.picture = read_source(settings.source),
                                      .seeds = flags.seeds(static_cast<size_t>(flags.n)),
                                      .sampling = flags.sampling(),
                                      .recorded_noise = flags.noise};
  check_targets(flags, request.seeds.size());
  StageLog log(context.progress);
  pipeline::Unclip model = flags.open(flags.compute_dtype());
  pipeline::Pictures pictures = model.vary(request, log);
  return {std::move(pictures), request.seeds, log.records()};
}

void vary(Settings& settings, const Context& context) {
  const SamplingFlags& flags = settings.flags;
  const bool from_latent = is_latent(settings.source) || flags.eta.has_value();
  const Varied varied = from_latent ? vary_latent(settings, context) : vary_anew(settings, context);
  Recipe recipe{{"variation_of", settings.source.filename().string()},
                {"model", flags.model.filename().string()}};
  if (from_latent) recipe["eta"] = join_text(flags.eta.value_or(0.0));
  write_output(flags, {varied.pictures, {}, varied.seeds, recipe, varied.stages}, context);
}

std::function<void()> declare(CLI::App& app, const Context& context) {
  auto settings = std::make_shared<Settings>();
  app.add_option("IMAGE", settings->source,
                 "a PNG, JPEG or WebP picture, or a latent of `unclip embed --invert` (--eta 0 unless given)")
      ->required();
  settings->flags.declare_drawing(app);
  settings->flags.declare_recording(app);
  app.get_option("--n")
      ->description("variations (default: 4; 1 with --eta 0, which knows no chance)")
      ->default_str("");
  app.get_option("--eta")->description(
      "start from the picture's own x_T, found by inversion: 0 draws the picture again, 1 varies it most");
  settings->flags.declare_memory(app);
  settings->flags.declare_output(app, "variation.png");
  const CLI::Option* n = app.get_option("--n");
  return [&context, settings, n] {
    SamplingFlags& flags = settings->flags;
    const bool always_the_same = flags.eta.value_or(is_latent(settings->source) ? 0.0 : 1.0) == 0.0;
    if (n->count() == 0) flags.n = always_the_same ? 1 : 4;
    vary(*settings, context);
  };
}

}  // namespace

const Command kVary{"vary", "draw variations of a picture: the same z_i, other noise",
                    "  unclip vary cat.png --n 9 -o cats.png\n"
                    "  unclip vary cat.jpg --seed 3 --size 64 --n 1\n"
                    "  unclip vary cat.png --eta 0.5 -o near-cats.png\n"
                    "  unclip vary cat.png --model karlo-v1-alpha-image-variations --n 2",
                    declare};

}  // namespace unclip::cli
