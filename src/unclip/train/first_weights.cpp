#include "unclip/train/first_weights.h"

#include <torch/autograd.h>

#include "unclip/io/state.h"
#include "unclip/pipeline/model_directory.h"
#include "unclip/train/run_folder.h"

namespace unclip::train {
namespace fs = std::filesystem;
namespace {

fs::path weights_in(const fs::path& folder, const std::string& stage) {
  if (fs::exists(folder / "model.json"))
    return pipeline::ModelDirectory(folder).stage(stage) / "model.safetensors";
  check(fs::exists(folder / "config.json"), ErrorKind::io, "'", folder.string(),
        "' is neither a run nor a model directory: expected trained weights to start from");
  return RunFolder(folder).require_latest() / "ema.safetensors";
}

/// `stored` with zeros for the input channels that only `wanted` has.
torch::Tensor widened(const torch::Tensor& stored, const torch::Tensor& wanted) {
  const bool same_but_channels = stored.dim() == 4 && wanted.dim() == 4 && stored.size(1) < wanted.size(1) &&
                                 stored.size(0) == wanted.size(0) &&
                                 stored.sizes().slice(2) == wanted.sizes().slice(2);
  if (!same_but_channels) return stored;  // load_state says what is wrong with it
  torch::Tensor result = torch::zeros(wanted.sizes(), stored.options());
  result.narrow(1, 0, stored.size(1)).copy_(stored);
  return result;
}

/// Parts that change nothing at their start: a net without them may go on with them.
bool may_be_new(const std::string& name) {
  return name.find("unet.fine.") != std::string::npos || name.starts_with("z_i_layout.");
}

}  // namespace

void start_from(torch::nn::Module& network, const fs::path& folder, const std::string& stage) {
  const torch::NoGradGuard no_grad;
  const fs::path file = weights_in(folder, stage);
  io::NamedTensors stored = io::SafetensorsFile(file).tensors();
  const io::NamedTensors wanted = io::state_of(network);
  for (auto& [name, tensor] : stored) {
    const auto found = wanted.find(name);
    if (found == wanted.end()) continue;
    tensor =
        widened(tensor, found->second).to(found->second.scalar_type(), /*non_blocking=*/false, /*copy=*/true);
  }
  for (const auto& [name, tensor] : wanted) {
    if (may_be_new(name)) stored.try_emplace(name, tensor.clone());
  }
  io::load_state(network, stored, file.string());
}

}  // namespace unclip::train
