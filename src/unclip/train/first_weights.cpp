#include "unclip/train/first_weights.h"

#include <torch/autograd.h>

#include "unclip/decoder/decoder.h"
#include "unclip/io/state.h"
#include "unclip/model/weights.h"
#include "unclip/prior/autoregressive_prior.h"
#include "unclip/prior/diffusion_prior.h"
#include "unclip/upsampler/upsampler.h"

namespace unclip::train {
namespace {

struct StageTensors {
  io::NamedTensors tensors;  // under our names
  std::string where;         // the file, or the first of several
};

template <class Net, class Config>
StageTensors read(const model::StoredNetwork<Config>& stored) {
  return {model::read_tensors<Net>(stored), model::file_of(stored.weights.sources.front()).string()};
}

StageTensors read_stage(const model::Model& source, const std::string& stage) {
  using model::required;
  if (stage == "clip") return {model::read_clip_tensors(source), source.path.string()};
  if (stage == "prior") return read<prior::DiffusionPrior>(required(source, source.prior, stage));
  if (stage == "ar_prior") return read<prior::AutoregressivePrior>(required(source, source.ar_prior, stage));
  if (stage == "decoder") return read<decoder::Decoder>(required(source, source.decoder, stage));
  const model::StoredUpsampler* const upsampler = source.find_upsampler(stage);
  if (upsampler == nullptr) model::fail_missing_stage(source.path, source.manifest, stage);
  return read<upsampler::Upsampler>(upsampler->net);
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

void start_from(torch::nn::Module& network, const model::Model& source, const std::string& stage) {
  const torch::NoGradGuard no_grad;
  auto [stored, where] = read_stage(source, stage);
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
  io::load_state(network, stored, where);
}

}  // namespace unclip::train
