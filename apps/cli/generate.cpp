// `unclip generate CAPTION…`
#include "apps/cli/captions.h"
#include "apps/cli/sampling_flags.h"

namespace unclip::cli {
namespace {

struct Settings {
  std::vector<std::string> captions;
  std::filesystem::path from_image;
  SamplingFlags flags;
};

/// "-" stands for the lines of stdin.
std::vector<std::string> read_captions(const std::vector<std::string>& arguments) {
  std::vector<std::string> captions;
  for (const std::string& argument : arguments) {
    const std::vector<std::string> given = argument == "-" ? lines_of_stdin() : std::vector{argument};
    captions.insert(captions.end(), given.begin(), given.end());
  }
  for (const std::string& caption : captions) check_caption(caption);
  check(!captions.empty(), ErrorKind::usage,
        "generate needs a caption, for instance: unclip generate \"a red heart\"");
  return captions;
}

/// Flags of the recipe that the command line does not give itself.
void apply_recipe(CLI::App& app, Settings& settings) {
  const Recipe recipe = read_recipe(settings.from_image);
  for (const auto& [key, value] : recipe) {
    if (key == "caption" && settings.captions.empty()) settings.captions = {value};
    CLI::Option* option = app.get_option_no_throw("--" + key);
    if (option == nullptr || option->count() > 0 || value.empty() || key == "model") continue;
    option->add_result(value);
    option->run_callback();
  }
}

Recipe recipe_of(const SamplingFlags& flags, const CLI::App& app) {
  Recipe recipe{{"model", flags.model.filename().string()}, {"prior", flags.prior}};
  for (const char* name :
       {"steps", "prior-steps", "upsampler-steps", "guidance", "prior-guidance", "sampler", "prior-sampler",
        "temperature", "top-p", "upsampler-sampler", "eta", "candidates", "dtype", "noise"}) {
    const CLI::Option* option = app.get_option(std::string("--") + name);
    if (option->count() > 0) recipe[name] = option->as<std::string>();
  }
  return recipe;
}

void generate(CLI::App& app, Settings& settings, const Context& context) {
  if (!settings.from_image.empty()) apply_recipe(app, settings);
  SamplingFlags& flags = settings.flags;
  const auto captions = read_captions(settings.captions);
  const size_t count = captions.size() * static_cast<size_t>(flags.n);
  pipeline::GenerateRequest request{.captions = {},
                                    .seeds = flags.seeds(count),
                                    .sampling = flags.sampling(),
                                    .recorded_noise = flags.noise};
  for (const std::string& caption : captions)
    request.captions.insert(request.captions.end(), static_cast<size_t>(flags.n), caption);
  check_targets(flags, count);
  StageLog log(context.progress);
  pipeline::Unclip model = flags.open(flags.compute_dtype());
  const pipeline::Pictures pictures = model.generate(request, log);
  write_output(flags, {pictures, request.captions, request.seeds, recipe_of(flags, app), log.records()},
               context);
}

std::function<void()> declare(CLI::App& app, const Context& context) {
  auto settings = std::make_shared<Settings>();
  app.add_option("CAPTION", settings->captions, "what to draw; - reads one caption a line from stdin");
  app.add_option("--from-image", settings->from_image,
                 "repeat the recipe stored in a picture of this program");
  settings->flags.declare_drawing(app);
  settings->flags.declare_prior(app);
  settings->flags.declare_recording(app);
  settings->flags.declare_memory(app);
  settings->flags.declare_output(app, "picture.png");
  return [&app, &context, settings] { generate(app, *settings, context); };
}

}  // namespace

const Command kGenerate{
    "generate", "draw pictures from captions",
    "  unclip generate \"a red heart\" --seed 7 -o heart.png\n"
    "  unclip generate \"a blue cat, noto style\" --n 9 --size 64\n"
    "  unclip generate \"a blue cat\" --prior ar --temperature 0.9\n"
    "  unclip generate --from-image heart.png --seed 8 -o another.png\n"
    "  unclip generate \"a red heart\" --model karlo-v1-alpha --dtype bf16 --memory 6GiB\n"
    "  unclip generate \"a red heart\" --noise recorded.safetensors --dump drawn.safetensors",
    declare};

}  // namespace unclip::cli
