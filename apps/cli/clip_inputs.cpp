#include "apps/cli/clip_inputs.h"

#include <algorithm>
#include <array>
#include <iostream>

#include "apps/cli/bundled_model.h"
#include "apps/cli/captions.h"
#include "apps/cli/flag_checks.h"
#include "unclip/base/runtime.h"

namespace unclip::cli {
namespace fs = std::filesystem;
namespace {

bool is_picture_name(const fs::path& path) {
  constexpr std::array<const char*, 4> kEndings{".png", ".jpg", ".jpeg", ".webp"};
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return std::ranges::find(kEndings, ending) != kEndings.end();
}

std::vector<fs::path> pictures_of(const fs::path& folder) {
  std::vector<fs::path> pictures;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_regular_file() && is_picture_name(entry.path())) pictures.push_back(entry.path());
  }
  check(!pictures.empty(), ErrorKind::io, "the folder '", folder.string(), "' holds no pictures");
  std::ranges::sort(pictures);
  return pictures;
}

void print_warnings(const std::vector<std::string>& warnings) {
  for (const std::string& warning : warnings) std::cerr << "unclip: warning: " << warning << '\n';
}

}  // namespace

void ClipInputs::declare(CLI::App& app) {
  model = bundled_model();
  app.add_option("INPUT", arguments,
                 "pictures, folders of pictures and captions; - reads a caption a line from stdin");
  app.add_option("--model", model,
                 "a CLIP: our folder (default: the bundled one), Hugging Face's, OpenCLIP's, OpenAI's .pt");
  app.add_option("--dtype", dtype, "what is computed in: auto, fp32 or bf16")->capture_default_str();
  app.add_option("--batch", batch, "inputs at a time")
      ->check(between<int64_t>(1, 4096))
      ->capture_default_str();
}

void ClipInputs::sort_arguments() {
  for (const std::string& argument : arguments) {
    std::error_code unreadable;  // a caption may be too long for a path
    const fs::path path = argument;
    if (argument == "-") {
      std::ranges::move(lines_of_stdin(), std::back_inserter(captions));
    } else if (fs::is_directory(path, unreadable)) {
      std::ranges::move(pictures_of(path), std::back_inserter(pictures));
    } else if (fs::exists(path, unreadable)) {
      pictures.push_back(path);
    } else {
      check(!is_picture_name(path), ErrorKind::io, "there is no picture '", argument, "'");
      captions.push_back(argument);
    }
  }
  for (const std::string& caption : captions) check_caption(caption);
}

torch::ScalarType ClipInputs::compute_dtype() const {
  check(dtype == "auto" || dtype == "fp32" || dtype == "bf16", ErrorKind::usage, "--dtype is '", dtype,
        "', expected auto, fp32 or bf16");
  return dtype == "bf16" || (dtype == "auto" && has_fast_bf16()) ? torch::kBFloat16 : torch::kFloat32;
}

pipeline::ClipEncoder ClipInputs::open() const {
  const pipeline::NetworksOptions options{.dtype = compute_dtype()};
  return pipeline::ClipEncoder(
      std::make_shared<pipeline::Networks>(model::open_model(model, clip_vocabulary()), options));
}

torch::Tensor tokenize_captions(const pipeline::ClipEncoder& clip, const ClipInputs& inputs) {
  std::vector<std::string> warnings;
  const text::Tokens tokens = clip.tokenize(inputs.captions, &warnings);
  print_warnings(warnings);
  return tokens.ids;
}

torch::Tensor embed_captions(const pipeline::ClipEncoder& clip,
                             const ClipInputs& inputs,
                             const Context& context) {
  std::vector<std::string> warnings;
  torch::Tensor result = clip.embed_captions(inputs.captions, inputs.batch, *context.progress, &warnings);
  print_warnings(warnings);
  return result;
}

torch::Tensor embed_pictures(const pipeline::ClipEncoder& clip,
                             const ClipInputs& inputs,
                             const Context& context) {
  return clip.embed_files(inputs.pictures, inputs.batch, *context.progress);
}

}  // namespace unclip::cli
