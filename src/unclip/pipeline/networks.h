// The networks of one model: loaded once, then immutable and shared by all threads that draw with them.
#pragma once
#include <map>
#include <memory>
#include <mutex>

#include "unclip/decoder/decoder.h"
#include "unclip/model/model.h"
#include "unclip/pipeline/memory.h"
#include "unclip/prior/autoregressive_prior.h"
#include "unclip/prior/diffusion_prior.h"
#include "unclip/upsampler/sample.h"

namespace unclip::pipeline {

/// What stays in memory once it was loaded: everything; what fits into a budget, the longest unused going
/// first; or, when another network is loaded, only what is in use.
enum class Keep { all, within_budget, in_turn };

struct NetworksOptions {
  torch::ScalarType dtype = torch::kFloat32;  // of activations
  torch::Device device = torch::kCPU;
  Keep keep = Keep::all;
  int64_t budget = 0;  // bytes of the whole program; unless all is kept

  bool has_budget() const { return keep != Keep::all; }
};

/// A network is loaded when it is first asked for and stays as long as the policy says or somebody holds it;
/// threads that ask for the same one wait for one load. A thread holds one network at a time, so that those
/// which wait for room are served in the end. Every function throws Error(checkpoint) if the model lacks the
/// stage, and what model/weights.h says of files.
class Networks {
 public:
  Networks(model::Model model, const NetworksOptions& options);
  ~Networks();
  Networks(const Networks&) = delete;
  Networks& operator=(const Networks&) = delete;

  const model::Model& model() const { return model_; }
  const NetworksOptions& options() const { return options_; }

  clip::Clip text_encoder();
  clip::Clip image_encoder();
  prior::DiffusionPrior prior();
  prior::AutoregressivePrior ar_prior();
  decoder::Decoder decoder();
  /// The decoder that was trained to fill holes.
  decoder::Decoder inpainting_decoder();
  /// `stage` is a name among those of model().upsamplers; with `in_turn` its nets are loaded one after the
  /// other.
  upsampler::StepNets upsampler(const std::string& stage, bool in_turn = false);

  /// How many networks have been read from files so far.
  int64_t load_count() const;

 private:
  struct Store;
  template <class Net, class Config, class... Arguments>
  Net load(const model::StoredNetwork<Config>& stored, Arguments... arguments);
  template <class Net, class Config, class... Arguments>
  Net get(const std::string& name, const model::StoredNetwork<Config>& stored, Arguments... arguments);

  model::Model model_;
  NetworksOptions options_;
  std::unique_ptr<PageReleaser> pages_{};  // with a budget
  std::shared_ptr<Store> store_;           // shared with what was handed out
};

}  // namespace unclip::pipeline
