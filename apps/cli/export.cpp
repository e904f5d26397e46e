// `unclip export RUN…`
#include <CLI/CLI.hpp>

#include "apps/cli/command.h"
#include "unclip/train/export.h"

namespace unclip::cli {
namespace {

struct Settings {
  train::ExportRequest request;
  std::string dtype = "bf16";
};

std::function<void()> declare(CLI::App& app, const Context& /*context*/) {
  auto settings = std::make_shared<Settings>();
  app.add_option("RUN", settings->request.runs, "run folders of `unclip train`, one per stage")->required();
  app.add_option("-o,--output", settings->request.out, "the model directory")->required();
  app.add_option("--card", settings->request.card,
                 "JSON with name, version, licence, attribution, trained_on, card");
  app.add_option("--dtype", settings->dtype, "of the stored weights: bf16 or fp32")
      ->check(CLI::IsMember({"bf16", "fp32"}))
      ->capture_default_str();
  return [settings] {
    settings->request.dtype = settings->dtype == "bf16" ? torch::kBFloat16 : torch::kFloat32;
    train::export_model(settings->request);
  };
}

}  // namespace

const Command kExport{"export", "make a model directory out of training runs",
                      "  unclip export runs/clip runs/prior runs/decoder runs/up256 -o models/mine", declare};

}  // namespace unclip::cli
