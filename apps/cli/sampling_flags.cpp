#include "apps/cli/sampling_flags.h"

#include <iostream>
#include <limits>
#include <numeric>
#include <random>

#include "apps/cli/application.h"
#include "apps/cli/bundled_model.h"
#include "apps/cli/flag_checks.h"
#include "apps/cli/json_text.h"
#include "apps/cli/memory_flag.h"
#include "unclip/base/runtime.h"
#include "unclip/image/decode.h"
#include "unclip/image/encode.h"
#include "unclip/image/network.h"
#include "unclip/image/sheet.h"
#include "unclip/io/file.h"
#include "unclip/io/safetensors.h"

namespace unclip::cli {
namespace fs = std::filesystem;
namespace {

std::optional<std::string> given(const std::string& text) {
  return text.empty() ? std::nullopt : std::make_optional(text);
}

std::optional<diffusion::Sampler> sampler_named(const std::string& name, const char* flag) {
  if (name.empty()) return std::nullopt;
  try {
    return enum_from_name<diffusion::Sampler>(name, flag);
  } catch (const Error& error) {
    fail(ErrorKind::usage, error.what());
  }
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

fs::path numbered(const fs::path& path, const std::string& suffix) {
  return path.parent_path() / (path.stem().string() + suffix + path.extension().string());
}

void write_dump(const fs::path& path, const pipeline::Pictures& pictures) {
  const auto in_unit_range = [](const torch::Tensor& x) {
    return x.to(torch::kFloat32).add(1).div(2).clamp(0, 1).permute({0, 2, 3, 1}).contiguous();
  };
  io::write_safetensors(path, {{"image_embeds", pictures.z_i.to(torch::kFloat32).contiguous()},
                               {"image_base", in_unit_range(pictures.base)},
                               {"image", in_unit_range(pictures.pictures)}});
}

}  // namespace

void SamplingFlags::declare_drawing(CLI::App& app) {
  declare_model(app);
  app.add_option("--n", n, "pictures per caption")->check(between<int64_t>(1, 10000))->capture_default_str();
  declare_candidates(app);
  declare_sampler(app);
}

void SamplingFlags::declare_candidates(CLI::App& app) {
  app.add_option(
         "--candidates", candidates,
         "draw so many for each picture and keep the one that CLIP sees nearest to what was asked for")
      ->check(between<int64_t>(1, 64));
}

void SamplingFlags::declare_model(CLI::App& app) {
  declare_settings(app);
  declare_seed(app);
  app.add_option("--guidance", guidance, "decoder guidance scale")->check(between(0.0, 100.0));
}

void SamplingFlags::declare_seed(CLI::App& app) {
  app.add_option("--seed", seed, "seed of the first picture; drawn and shown if absent")
      ->check(between<uint64_t>(0, std::numeric_limits<uint64_t>::max()));
}

void SamplingFlags::declare_settings(CLI::App& app) {
  declare_enlarging(app, "side in pixels: a size that the model draws (default: 256, or its largest)");
  app.add_option("--steps", steps, "decoder steps: a number or a spacing such as 10,10,3,2,2");
}

void SamplingFlags::declare_enlarging(CLI::App& app, const char* of_size) {
  model = bundled_model();
  app.add_option("--model", model, "a model directory (default: the bundled one)");
  app.add_option("--size", size, of_size);
  app.add_option("--upsampler-steps", upsampler_steps, "steps of each upsampler, for instance 27,15");
  app.add_option("--upsampler-sampler", upsampler_sampler, "sampler of the upsamplers");
  app.add_option("--dtype", dtype, "auto, fp32 or bf16")->capture_default_str();
  app.add_option("--device", device, "cpu")->capture_default_str();
}

void SamplingFlags::declare_sampler(CLI::App& app) {
  app.add_option("--sampler", sampler, "decoder sampler: ddpm, ddim, analytic_dpm, dpm_solver or unipc");
  app.add_option("--eta", eta, "noise of the ddim sampler, 0 to 1")->check(between(0.0, 1.0));
}

void SamplingFlags::declare_prior(CLI::App& app) {
  app.add_option("--prior", prior, "where z_i comes from: diffusion, ar, text (z_t instead) or none")
      ->capture_default_str();
  app.add_option("--prior-steps", prior_steps, "prior steps");
  app.add_option("--prior-guidance", prior_guidance, "prior guidance scale")->check(between(0.0, 100.0));
  app.add_option("--prior-sampler", prior_sampler, "prior sampler");
  app.add_option("--temperature", temperature, "of the ar prior's codes: below 1 for likelier ones")
      ->check(between(0.01, 10.0));
  app.add_option("--top-p", top_p, "share of the probability from which the ar prior draws a code")
      ->check(between(0.001, 1.0));
}

void SamplingFlags::declare_recording(CLI::App& app) {
  app.add_option("--noise", noise, "take all noise from this safetensors file instead of seeds (see docs)");
  app.add_option("--dump", dump, "write image_embeds, image_base and image to this safetensors file");
}

void SamplingFlags::declare_memory(CLI::App& app) {
  app.add_option("--memory", memory,
                 "keep to a budget such as 8GiB: stages are released in turn, and the peak is told");
}

pipeline::Unclip SamplingFlags::open(torch::ScalarType compute_dtype) const {
  pipeline::NetworksOptions options{.dtype = compute_dtype};
  if (!memory.empty()) {
    options.keep = pipeline::Keep::in_turn;
    options.budget = bytes_from_text(memory, "--memory");
  }
  return {model, options, clip_vocabulary()};
}

void SamplingFlags::declare_output(CLI::App& app, const char* default_output) {
  output = default_output;
  app.add_option("-o,--output", output, "file to write")->capture_default_str();
  app.add_flag("--force", force, "replace existing files");
}

pipeline::SamplingOptions SamplingFlags::sampling() const {
  check(device == "cpu", ErrorKind::usage, "--device is '", device, "', expected cpu");
  pipeline::SamplingOptions result;
  try {
    result.prior = enum_from_name<pipeline::PriorKind>(prior, "--prior");
  } catch (const Error& error) {
    fail(ErrorKind::usage, error.what());
  }
  result.prior_guidance = prior_guidance;
  result.guidance = guidance;
  result.prior_steps = given(prior_steps);
  result.steps = given(steps);
  result.upsampler_steps = split(upsampler_steps, ',');
  result.prior_sampler = sampler_named(prior_sampler, "--prior-sampler");
  result.sampler = sampler_named(sampler, "--sampler");
  result.upsampler_sampler = sampler_named(upsampler_sampler, "--upsampler-sampler");
  result.temperature = temperature;
  result.top_p = top_p;
  result.eta = eta;
  result.candidates = candidates;
  result.size = size;
  return result;
}

torch::ScalarType SamplingFlags::compute_dtype() const {
  check(dtype == "auto" || dtype == "fp32" || dtype == "bf16", ErrorKind::usage, "--dtype is '", dtype,
        "', expected auto, fp32 or bf16");
  const bool bf16 = dtype == "bf16" || (dtype == "auto" && has_fast_bf16());
  return bf16 ? torch::kBFloat16 : torch::kFloat32;
}

std::vector<uint64_t> SamplingFlags::seeds(size_t count) {
  check(!seed || noise.empty(), ErrorKind::usage, "--seed has no effect with --noise: leave it out");
  if (!seed) seed = std::random_device{}();
  std::vector<uint64_t> result(count);
  std::iota(result.begin(), result.end(), *seed);
  return result;
}

std::vector<fs::path> target_names(const SamplingFlags& flags, size_t count) {
  if (count == 1) return {flags.output};
  std::vector<fs::path> names;
  names.reserve(count + 1);
  for (size_t i = 0; i < count; ++i) names.push_back(numbered(flags.output, "-" + std::to_string(i + 1)));
  names.push_back(numbered(flags.output, "-sheet"));
  return names;
}

void check_targets(const SamplingFlags& flags, size_t count) {
  for (const fs::path& name : target_names(flags, count)) image::check_picture_target(name, flags.force);
  if (!flags.dump.empty()) io::check_writable_target(flags.dump, flags.force);
}

Recipe read_recipe(const fs::path& picture) {
  const auto text = image::read_picture(picture).text;
  const auto found = text.find(kRecipeKeyword);
  check(found != text.end(), ErrorKind::data, "'", picture.string(), "' holds no recipe of this program");
  const auto json = nlohmann::json::parse(found->second, nullptr, false);
  check(json.is_object(), ErrorKind::data, "the recipe in '", picture.string(), "' is damaged");
  Recipe recipe;
  for (const auto& [key, value] : json.items())
    recipe[key] = value.is_string() ? value.get<std::string>() : value.dump();
  return recipe;
}

void write_output(const SamplingFlags& flags, const Output& output, const Context& context) {
  if (!flags.dump.empty()) write_dump(flags.dump, output.pictures);
  const torch::Tensor pixels = image::to_pixels(output.pictures.pictures);
  const auto count = static_cast<size_t>(pixels.size(0));
  const auto names = target_names(flags, count);
  auto written = nlohmann::ordered_json::array();
  std::vector<torch::Tensor> tiles;
  for (size_t i = 0; i < count; ++i) {
    nlohmann::ordered_json recipe(output.recipe);
    recipe["size"] = std::to_string(pixels.size(1));
    if (flags.noise.empty()) recipe["seed"] = std::to_string(output.seeds[i]);
    if (!output.captions.empty()) recipe["caption"] = output.captions[i];
    recipe["version"] = version();
    tiles.push_back(pixels[static_cast<int64_t>(i)]);
    image::write_picture(names[i], tiles.back(),
                         {.text = {{kRecipeKeyword, json_text(recipe)}}, .force = flags.force});
    recipe["file"] = names[i].string();
    written.push_back(recipe);
    if (!context.json && !context.quiet) {
      std::cerr << names[i].string();
      if (flags.noise.empty()) std::cerr << "  seed " << output.seeds[i];
      std::cerr << '\n';
    }
  }
  if (count > 1) {
    image::write_picture(names.back(), image::contact_sheet(tiles), {.force = flags.force});
    if (!context.json && !context.quiet) std::cerr << names.back().string() << '\n';
  }
  if (!flags.memory.empty() && !context.json && !context.quiet)
    std::cerr << "peak memory " << (peak_memory() >> 20) << " MiB\n";
  for (const std::string& warning : output.pictures.warnings)
    std::cerr << "unclip: note: " << warning << '\n';
  if (!context.json) return;
  nlohmann::ordered_json object{{"pictures", written}, {"warnings", output.pictures.warnings}};
  if (count > 1) object["sheet"] = names.back().string();
  for (const StageRecord& stage : output.stages) {
    object["stages"].push_back({{"stage", stage.stage},
                                {"steps", stage.steps},
                                {"load_seconds", stage.load_seconds},
                                {"seconds", stage.seconds},
                                {"peak_memory_bytes", stage.peak_memory}});
  }
  object["peak_memory_bytes"] = peak_memory();
  std::cout << json_text(object) << '\n';
}

}  // namespace unclip::cli
