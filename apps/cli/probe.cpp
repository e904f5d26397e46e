// `unclip probe IMAGE`
#include <algorithm>
#include <cmath>

#include "apps/cli/flag_checks.h"
#include "apps/cli/strip.h"
#include "unclip/data/dataset.h"
#include "unclip/data/picture.h"
#include "unclip/pipeline/manipulations.h"

namespace unclip::cli {
namespace {

constexpr size_t kEmbeddedAtOnce = 256;

struct Settings {
  std::filesystem::path picture;
  std::vector<std::string> data;
  int64_t pictures = 4096;
  std::vector<int64_t> counts;
  StripFlags flags;
};

/// z_i of up to `limit` pictures, evenly from all of the data.
torch::Tensor embed_data(const pipeline::Unclip& model,
                         const data::Dataset& dataset,
                         int64_t limit,
                         Progress& progress) {
  const int64_t count = std::min(limit, dataset.size());
  std::vector<torch::Tensor> parts, waiting;
  progress.begin("embeddings", count);
  for (int64_t i = 0; i < count; ++i) {
    progress.throw_if_stopped();
    const int64_t index = i * dataset.size() / count;
    const data::Bytes stored = dataset.picture(index);
    waiting.push_back(data::square_picture(stored.data, dataset.key(index), model.sizes().front()));
    progress.advance();
    if (waiting.size() < kEmbeddedAtOnce && i + 1 < count) continue;
    parts.push_back(model.clip().embed_pictures(waiting));
    waiting.clear();
  }
  progress.end();
  return torch::cat(parts);
}

manipulate::PrincipalComponents find_components(const pipeline::Unclip& model,
                                                const Settings& settings,
                                                Progress& progress) {
  if (!settings.data.empty()) {
    const auto dataset = data::Dataset::open(settings.data, {.require_captions = false});
    return manipulate::fit_principal_components(embed_data(model, dataset, settings.pictures, progress));
  }
  auto stored = pipeline::stored_components(model.model());
  check(stored.has_value(), ErrorKind::checkpoint, "the model '", settings.flags.sampling.model.string(),
        "' has no stage 'ar_prior' whose principal components could be used: name pictures to fit them to, "
        "--data "
        "FOLDER");
  return *stored;
}

/// The paper's counts (of 1,024 dimensions) are about even in their logarithm; so are these, up to all
/// components.
std::vector<int64_t> default_counts(int64_t components) {
  constexpr double kFrames = 8, kFirst = 5;
  std::vector<int64_t> counts;
  for (double i = 0; i < kFrames; ++i) {
    const double k = kFirst * std::pow(static_cast<double>(components) / kFirst, i / (kFrames - 1));
    counts.push_back(std::clamp<int64_t>(std::llround(k), 1, components));
  }
  counts.erase(std::unique(counts.begin(), counts.end()), counts.end());
  return counts;
}

/// Share of the variance that the first k components hold.
double share_kept(const manipulate::PrincipalComponents& components, int64_t k) {
  return 1 - prior::reconstruction_error(components.eigenvalues, k);
}

void probe(Settings& settings, const Context& context) {
  SamplingFlags& flags = settings.flags.sampling;
  pipeline::ProbeRequest request{.picture = read_opaque(settings.picture),
                                 .components = {},
                                 .counts = settings.counts,
                                 .seed = flags.seeds(1).front(),
                                 .sampling = flags.sampling()};
  // "Fixed-seed DDIM" is the paper's way: without noise of its own, so that only k makes the difference.
  if (!request.sampling.sampler) request.sampling.sampler = diffusion::Sampler::ddim;
  check_strip_targets(settings.flags, settings.counts.size());
  pipeline::Unclip model = flags.open(flags.compute_dtype());
  request.components = find_components(model, settings, *context.progress);
  if (request.counts.empty()) request.counts = default_counts(manipulate::count(request.components));
  check_strip_targets(settings.flags, request.counts.size());
  const pipeline::Pictures drawn = pipeline::probe(model, request, *context.progress);
  std::vector<std::string> labels;
  labels.reserve(request.counts.size());
  for (const int64_t k : request.counts) labels.push_back("k=" + std::to_string(k));
  Strip strip{.before = {{as_tile(request.picture, drawn.pictures.size(3)), ""}},
              .frames = frames_of(drawn.pictures, labels),
              .recipe = recipe_of(flags),
              .warnings = drawn.warnings};
  strip.recipe.merge(Recipe{{"command", "probe"},
                            {"image", settings.picture.filename().string()},
                            {"components", std::to_string(manipulate::count(request.components))},
                            {"variance", figure(share_kept(request.components, request.counts.back()), 4)}});
  write_strip(settings.flags, strip, context);
}

std::function<void()> declare(CLI::App& app, const Context& context) {
  auto settings = std::make_shared<Settings>();
  app.add_option("IMAGE", settings->picture, "a PNG, JPEG or WebP picture")->required();
  app.add_option(
      "--data", settings->data,
      "pictures (shards, folders, patterns) to fit the components to; without them, the model's own");
  CLI::Option* pictures =
      app.add_option("--pictures", settings->pictures, "how many of these are looked at, evenly spread")
          ->check(between<int64_t>(2, 10000000))
          ->capture_default_str();
  app.add_option("--k", settings->counts,
                 "components kept, one frame each, for instance 20,30,40,80 (default: 8 counts)")
      ->delimiter(',')
      ->check(between<int64_t>(1, 1000000));
  settings->flags.sampling.declare_model(app);
  settings->flags.sampling.declare_sampler(app);
  settings->flags.declare_output(app, "probe.png");
  return [&context, settings, pictures] {
    check(pictures->count() == 0 || !settings->data.empty(), ErrorKind::usage,
          "--pictures says how many of --data are looked at: give --data too");
    probe(*settings, context);
  };
}

}  // namespace

const Command kProbe{
    "probe", "draw a picture from the first principal components of its z_i",
    "  unclip probe cat.png --data pictures/ -o probe.png\n"
    "  unclip probe cat.png --data 'shards/train-*.tar' --k 5,10,20,40,80 --size 64 --gif probe.gif",
    declare};

}  // namespace unclip::cli
