// From a stored network to a module that runs, or to its tensors under our names.
#pragma once
#include "unclip/model/model.h"
#include "unclip/nn/layer.h"

namespace unclip::model {

struct LoadOptions {
  torch::ScalarType dtype = torch::kFloat32;  // in which floating-point parameters are used
  torch::Device device = torch::kCPU;
};

/// Loads the weights into `module` and freezes it; parameters are converted to `dtype`, statistics are not.
/// Error(checkpoint) names the file and its keys that are missing, unexpected or misshapen. With `mapped`,
/// matrices stay where they lie, and those on a mapped file are added to it: layers convert them when they
/// first use them, and the pages may then go (pipeline/memory.h).
void load_frozen(torch::nn::Module& module,
                 const Weights& weights,
                 const LoadOptions& options,
                 std::vector<torch::Tensor>* mapped = nullptr);

/// A network's tensors under our names, in the types of its files and checked as in load_frozen; nothing is
/// copied but what is joined or rearranged.
io::NamedTensors read_tensors(const torch::nn::Module& module, const Weights& weights);

template <class Net, class Config, class... Arguments>
io::NamedTensors read_tensors(const StoredNetwork<Config>& stored, Arguments... arguments) {
  const nn::ParameterDevice shapes_only(torch::kMeta);
  return read_tensors(*Net(stored.config, arguments...), stored.weights);
}

/// A stored network, ready to run. `Net` is a module holder that is made from `Config`.
template <class Net, class Config, class... Arguments>
Net load_net(const StoredNetwork<Config>& stored, torch::ScalarType dtype, Arguments... arguments) {
  Net net(stored.config, arguments...);
  load_frozen(*net, stored.weights, {.dtype = dtype});
  return net;
}

/// The tensors of both towers and the logit scale, also of a model that stores its towers apart; what it
/// lacks of a logit scale is CLIP's limit, ln 100 (Radford et al. 2021, §2.5). Error(checkpoint) if a tower
/// is missing.
io::NamedTensors read_clip_tensors(const Model& model);

}  // namespace unclip::model
