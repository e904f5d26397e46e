// `unclip convert DIR OUT`
#include <CLI/CLI.hpp>

#include "apps/cli/bundled_model.h"
#include "apps/cli/command.h"
#include "unclip/model/convert.h"

namespace unclip::cli {
namespace {

struct Settings {
  model::ConvertRequest request;
  std::string layout = "unclip";
  std::string dtype = "same";
};

std::optional<torch::ScalarType> dtype_named(const std::string& name) {
  if (name == "same") return std::nullopt;
  return name == "bf16" ? torch::kBFloat16 : torch::kFloat32;
}

std::function<void()> declare(CLI::App& app, const Context& /*context*/) {
  auto settings = std::make_shared<Settings>();
  app.add_option("DIR", settings->request.from, "a model in any layout that `inspect` knows")->required();
  app.add_option("OUT", settings->request.to, "the new folder")->required();
  app.add_option("--to", settings->layout, "layout of OUT: unclip, or huggingface (transformers, diffusers)")
      ->check(CLI::IsMember({"unclip", "huggingface"}))
      ->capture_default_str();
  app.add_option("--dtype", settings->dtype, "of the weights: same (as in DIR), bf16 or fp32")
      ->check(CLI::IsMember({"same", "bf16", "fp32"}))
      ->capture_default_str();
  return [settings] {
    settings->request.layout =
        settings->layout == "unclip" ? model::TargetLayout::unclip : model::TargetLayout::hugging_face;
    settings->request.dtype = dtype_named(settings->dtype);
    settings->request.vocabulary = clip_vocabulary();
    model::convert_model(settings->request);
  };
}

}  // namespace

const Command kConvert{"convert", "bring a released model into our own layout, or back",
                       "  unclip convert clip-vit-large-patch14 models/clip-l\n"
                       "  unclip convert ViT-L-14.pt models/clip-l --dtype fp32\n"
                       "  unclip convert models/clip-l clip-l-hf --to huggingface\n"
                       "  unclip convert karlo-v1-alpha models/karlo --dtype bf16\n"
                       "  unclip convert models/karlo karlo-diffusers --to huggingface",
                       declare};

}  // namespace unclip::cli
