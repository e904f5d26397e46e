#include "apps/cli/strip.h"

#include <iomanip>
#include <iostream>

#include "apps/cli/application.h"
#include "apps/cli/flag_checks.h"
#include "apps/cli/json_text.h"
#include "unclip/image/animation.h"
#include "unclip/image/crop.h"
#include "unclip/image/decode.h"
#include "unclip/image/encode.h"
#include "unclip/image/label.h"
#include "unclip/image/network.h"
#include "unclip/image/resize.h"
#include "unclip/image/sheet.h"

namespace unclip::cli {
namespace fs = std::filesystem;
namespace {

fs::path frame_name(const fs::path& output, size_t index) {
  return output.parent_path() /
         (output.stem().string() + "-" + std::to_string(index + 1) + output.extension().string());
}

torch::Tensor strip_picture(const Strip& strip) {
  std::vector<torch::Tensor> tiles;
  for (const auto* part : {&strip.before, &strip.frames}) {
    for (const Tile& tile : *part) tiles.push_back(image::labelled(tile.pixels, tile.label));
  }
  return image::contact_sheet(tiles, {.columns = static_cast<int64_t>(tiles.size())});
}

/// Forth and back, so that it can repeat without a jump.
std::vector<torch::Tensor> there_and_back(const std::vector<Tile>& frames) {
  std::vector<torch::Tensor> result;
  for (const Tile& frame : frames) result.push_back(frame.pixels);
  for (size_t i = frames.size() - 1; i-- > 1;) result.push_back(frames[i].pixels);
  return result;
}

std::string recipe_text(Recipe recipe, const std::string& frame) {
  recipe["version"] = version();
  if (!frame.empty()) recipe["frame"] = frame;
  return json_text(nlohmann::ordered_json(recipe));
}

}  // namespace

void StripFlags::declare_output(CLI::App& app, const char* default_output) {
  sampling.declare_output(app, default_output);
  app.add_flag("--frames", frames, "also write every frame: OUT-1, OUT-2, …");
  app.add_option("--gif", gif, "also write the frames, forth and back, as an animated GIF");
  app.add_option("--webp", webp, "also write them as an animated WebP, without loss");
  app.add_option("--frame-ms", frame_ms, "how long an animation shows each frame, in milliseconds")
      ->check(between<int64_t>(10, 60000))
      ->capture_default_str();
}

void check_strip_targets(const StripFlags& flags, size_t frame_count) {
  const SamplingFlags& sampling = flags.sampling;
  image::check_picture_target(sampling.output, sampling.force);
  for (size_t i = 0; flags.frames && i < frame_count; ++i)
    image::check_picture_target(frame_name(sampling.output, i), sampling.force);
  for (const auto& [path, ending] : {std::pair{flags.gif, ".gif"}, std::pair{flags.webp, ".webp"}}) {
    if (path.empty()) continue;
    check(path.extension() == ending, ErrorKind::usage, "--", ending + 1, " is '", path.string(),
          "', expected a name that ends in ", ending);
    check(path != sampling.output, ErrorKind::usage, "--", ending + 1, " and --output are the same file");
    image::check_animation_target(path, sampling.force);
  }
}

void write_strip(const StripFlags& flags, const Strip& strip, const Context& context) {
  const SamplingFlags& sampling = flags.sampling;
  const auto say = [&](const fs::path& name) {
    if (!context.json && !context.quiet) std::cerr << name.string() << '\n';
  };
  nlohmann::ordered_json object{{"strip", sampling.output.string()}, {"recipe", strip.recipe}};
  object["labels"] = nlohmann::ordered_json::array();
  for (const Tile& frame : strip.frames) object["labels"].push_back(frame.label);
  image::write_picture(sampling.output, strip_picture(strip),
                       {.text = {{kRecipeKeyword, recipe_text(strip.recipe, "")}}, .force = sampling.force});
  say(sampling.output);
  for (size_t i = 0; flags.frames && i < strip.frames.size(); ++i) {
    const fs::path name = frame_name(sampling.output, i);
    image::write_picture(name, strip.frames[i].pixels,
                         {.text = {{kRecipeKeyword, recipe_text(strip.recipe, strip.frames[i].label)}},
                          .force = sampling.force});
    object["frames"].push_back(name.string());
    say(name);
  }
  for (const auto& [key, path] : {std::pair{"gif", flags.gif}, std::pair{"webp", flags.webp}}) {
    if (path.empty()) continue;
    image::write_animation(path, there_and_back(strip.frames),
                           {.frame_ms = flags.frame_ms, .force = sampling.force});
    object[key] = path.string();
    say(path);
  }
  for (const std::string& warning : strip.warnings) std::cerr << "unclip: note: " << warning << '\n';
  object["warnings"] = strip.warnings;
  if (context.json) std::cout << json_text(object) << '\n';
}

std::vector<Tile> frames_of(const torch::Tensor& pictures, const std::vector<std::string>& labels) {
  const std::vector<torch::Tensor> pixels = image::to_pixels(pictures).unbind(0);
  std::vector<Tile> frames;
  for (size_t i = 0; i < pixels.size(); ++i) frames.push_back({pixels[i], labels.at(i)});
  return frames;
}

std::string figure(double value, int digits) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(digits) << value;
  return text.str();
}

Recipe recipe_of(SamplingFlags& flags) {
  Recipe recipe{{"model", flags.model.filename().string()}, {"seed", std::to_string(flags.seeds(1).front())}};
  for (const auto& [key, value] : {std::pair{"steps", flags.steps}, std::pair{"sampler", flags.sampler},
                                   std::pair{"upsampler-steps", flags.upsampler_steps},
                                   std::pair{"upsampler-sampler", flags.upsampler_sampler}}) {
    if (!value.empty()) recipe[key] = value;
  }
  if (flags.size) recipe["size"] = std::to_string(*flags.size);
  if (flags.guidance) recipe["guidance"] = join_text(*flags.guidance);
  if (flags.eta) recipe["eta"] = join_text(*flags.eta);
  return recipe;
}

torch::Tensor read_opaque(const fs::path& file) {
  return image::flatten_on(image::read_picture(file).pixels);
}

torch::Tensor as_tile(const torch::Tensor& pixels, int64_t size) {
  const int64_t side = std::min(pixels.size(0), pixels.size(1));
  return image::resize(image::center_crop(pixels, side, side), size, size, image::Filter::bicubic);
}

}  // namespace unclip::cli
