// `unclip embed INPUT…`, and `unclip embed --invert IMAGE…`
#include <iostream>

#include "apps/cli/clip_inputs.h"
#include "apps/cli/flag_checks.h"
#include "apps/cli/invert.h"
#include "apps/cli/json_text.h"
#include "unclip/image/decode.h"
#include "unclip/io/file.h"
#include "unclip/io/npy.h"

namespace unclip::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kImages = "image_embeds";
constexpr const char* kTexts = "text_embeds";
constexpr const char* kPixels = "pixel_values";  // the names of transformers
constexpr const char* kIds = "input_ids";

struct Settings {
  ClipInputs inputs;
  fs::path output;
  bool raw = false;
  bool force = false;
  bool tower_inputs = false;
  bool invert = false;
  std::string steps;               // of an inversion
  std::optional<double> guidance;  // of an inversion
};

/// Asked before any work.
void check_request(const Settings& settings) {
  const ClipInputs& inputs = settings.inputs;
  check(!inputs.pictures.empty() || !inputs.captions.empty(), ErrorKind::usage,
        "embed needs pictures or captions, for instance: unclip embed cat.png \"a cat\"");
  const std::string ending = settings.output.extension().string();
  check(ending == ".npy" || ending == ".safetensors", ErrorKind::usage, "'", settings.output.string(),
        "' does not end in .npy or .safetensors");
  check(ending != ".npy" || inputs.pictures.empty() || inputs.captions.empty(), ErrorKind::usage,
        "a .npy file holds one array: give only pictures or only captions, or write .safetensors");
  io::check_writable_target(settings.output, settings.force);
}

/// Which row is which.
io::Metadata names_of(const ClipInputs& inputs) {
  std::vector<std::string> pictures;
  pictures.reserve(inputs.pictures.size());
  for (const fs::path& picture : inputs.pictures) pictures.push_back(picture.filename().string());
  io::Metadata names;
  if (!pictures.empty()) names["pictures"] = json_text(pictures);
  if (!inputs.captions.empty()) names["captions"] = json_text(inputs.captions);
  return names;
}

void write(const Settings& settings, const io::NamedTensors& tensors) {
  if (settings.output.extension() == ".npy") {
    io::write_npy(settings.output, tensors.begin()->second);
  } else {
    io::write_safetensors(settings.output, tensors, names_of(settings.inputs));
  }
}

/// What the towers are given.
io::NamedTensors tower_inputs(const pipeline::ClipEncoder& clip, const ClipInputs& inputs) {
  io::NamedTensors result;
  std::vector<torch::Tensor> pictures;
  pictures.reserve(inputs.pictures.size());
  for (const fs::path& picture : inputs.pictures)
    pictures.push_back(clip.prepare(image::read_picture(picture).pixels));
  if (!pictures.empty()) result[kPixels] = torch::cat(pictures);
  if (!inputs.captions.empty()) result[kIds] = tokenize_captions(clip, inputs);
  return result;
}

/// What the towers make of it.
io::NamedTensors embeddings(const pipeline::ClipEncoder& clip,
                            const Settings& settings,
                            const Context& context) {
  io::NamedTensors result;
  const ClipInputs& inputs = settings.inputs;
  if (!inputs.pictures.empty()) result[kImages] = embed_pictures(clip, inputs, context);
  if (!inputs.captions.empty()) result[kTexts] = embed_captions(clip, inputs, context);
  for (auto& [name, rows] : result) {
    if (!settings.raw) rows = clip::normalized(rows);
  }
  return result;
}

void report(const Settings& settings, const io::NamedTensors& tensors, Json summary, const Context& context) {
  for (const auto& [name, rows] : tensors) summary[name] = rows.sizes().vec();
  if (context.json) {
    std::cout << json_text(summary) << '\n';
  } else if (!context.quiet) {
    for (const auto& [name, rows] : tensors) std::cerr << name << " " << rows.sizes() << " ";
    std::cerr << "-> " << settings.output.string() << '\n';
  }
}

/// z_i and x_T instead of embeddings.
void invert(const Settings& settings, const Context& context) {
  const ClipInputs& inputs = settings.inputs;
  check(inputs.captions.empty(), ErrorKind::usage, "--invert takes pictures, but '",
        inputs.captions.empty() ? "" : inputs.captions.front().substr(0, 40), "' is a caption");
  check(!inputs.pictures.empty(), ErrorKind::usage,
        "--invert needs pictures, for instance: unclip embed --invert cat.png");
  SamplingFlags flags;
  flags.model = inputs.model;
  flags.dtype = inputs.dtype;
  flags.steps = settings.steps;
  flags.guidance = settings.guidance;
  flags.output = settings.output;
  flags.force = settings.force;
  write_latent(inputs.pictures, flags, context);
}

void embed(Settings& settings, const Context& context) {
  settings.inputs.sort_arguments();
  if (settings.output.empty())
    settings.output = settings.invert ? "latent.safetensors" : "embeddings.safetensors";
  if (settings.invert) return invert(settings, context);
  check_request(settings);
  const pipeline::ClipEncoder clip = settings.inputs.open();
  Json summary{{"file", settings.output.string()}, {"model", clip.model().kind}};
  io::NamedTensors tensors;
  if (settings.tower_inputs) {
    tensors = tower_inputs(clip, settings.inputs);
  } else {
    tensors = embeddings(clip, settings, context);
    summary["unit_length"] = !settings.raw;
  }
  write(settings, tensors);
  report(settings, tensors, std::move(summary), context);
}

std::function<void()> declare(CLI::App& app, const Context& context) {
  auto settings = std::make_shared<Settings>();
  settings->inputs.declare(app);
  app.add_option("-o,--output", settings->output,
                 "a .safetensors or .npy file (default: embeddings.safetensors, latent.safetensors)");
  CLI::Option* raw_flag = app.add_flag("--raw", settings->raw, "as the model gives them, not of unit length");
  CLI::Option* inputs_flag = app.add_flag("--inputs", settings->tower_inputs,
                                          "store what the towers are given instead: pixel_values, input_ids");
  for (CLI::Option* of_networks : {raw_flag, app.get_option("--dtype"), app.get_option("--batch")})
    inputs_flag->excludes(of_networks);
  app.add_flag("--force", settings->force, "replace an existing file");
  CLI::Option* invert_flag = app.add_flag(
      "--invert", settings->invert, "store z_i and the x_T from which the decoder draws each picture again");
  invert_flag->excludes(inputs_flag);
  app.add_option("--steps", settings->steps, "of the inversion: a number or a spacing")->needs(invert_flag);
  app.add_option("--guidance", settings->guidance, "of the inversion: decoder guidance scale")
      ->check(between(0.0, 100.0))
      ->needs(invert_flag);
  return [&context, settings] { embed(*settings, context); };
}

}  // namespace

const Command kEmbed{"embed", "CLIP embeddings of pictures and captions; or pictures' latents (z_i, x_T)",
                     "  unclip embed cat.png dog.jpg \"a cat\" -o embeddings.safetensors\n"
                     "  unclip embed photos --model clip-vit-large-patch14 -o photos.npy\n"
                     "  unclip embed - --model ViT-L-14.pt --raw -o captions.npy < captions.txt\n"
                     "  unclip embed --inputs \"a cat\" --model ViT-L-14.pt -o ids.npy\n"
                     "  unclip embed --invert cat.png -o cat.safetensors",
                     declare};

}  // namespace unclip::cli
