// What every layer of this project shares: where its parameters live and how they start.
#pragma once
#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "unclip/base/error.h"
#include "unclip/base/noise.h"

namespace unclip::nn {

using torch::Tensor;

/// New parameters are made on this device while the guard lives; torch::kMeta counts a model without
/// allocating it.
class ParameterDevice {
 public:
  explicit ParameterDevice(torch::Device device);
  ~ParameterDevice();
  ParameterDevice(const ParameterDevice&) = delete;
  ParameterDevice& operator=(const ParameterDevice&) = delete;

 private:
  torch::Device previous_;
};

/// A module that owns parameters. Construction leaves them uninitialised (a checkpoint usually follows);
/// `initialize_parameters` starts training.
class Layer : public torch::nn::Module {
 public:
  /// Draws this layer's own parameters (not its children's) from the stream `key`.
  virtual void initialize(const NoiseKey& key) = 0;
  /// Promises that the parameters no longer change: a layer may then rearrange them for speed at its first
  /// use.
  void freeze() { frozen_ = true; }

 protected:
  bool frozen() const { return frozen_; }
  /// Registers an uninitialised float32 parameter.
  Tensor make_parameter(const std::string& name, torch::IntArrayRef shape);

 private:
  bool frozen_ = false;
};

/// Initialises every layer below `module`; each draws from a stream named by its path, so that the start of
/// one layer does not depend on what else the model holds.
void initialize_parameters(torch::nn::Module& module, uint64_t seed);

/// For inference: evaluation mode, no gradients, every layer below `module` frozen.
void freeze_parameters(torch::nn::Module& module);

/// Number of parameters, also of a model on torch::kMeta.
int64_t count_parameters(const torch::nn::Module& module);

/// What belongs to a stage but is no weight (embedding mean, PCA basis, …): tensors stored beside the weights
/// as `stats.*`.
class StatsImpl : public torch::nn::Module {
 public:
  void add(const std::string& name, torch::IntArrayRef shape, double fill);
  Tensor get(const std::string& name) const { return *named_buffers_.find(name); }
  bool has(const std::string& name) const { return named_buffers_.contains(name); }

 private:
  torch::OrderedDict<std::string, Tensor> named_buffers_;
};
TORCH_MODULE(Stats);

/// A list of blocks that keeps its element type, so that `forward` needs no casts; keys are `name.0`,
/// `name.1`, …
template <class Block>
class BlockList {
 public:
  BlockList(torch::nn::Module& parent, const std::string& name)
      : list_(parent.register_module(name, std::make_shared<List>())) {}
  template <class... Arguments>
  Block& emplace_back(Arguments&&... arguments) {
    Block block(std::forward<Arguments>(arguments)...);
    list_->register_module(std::to_string(blocks_.size()), block.ptr());
    return blocks_.emplace_back(std::move(block));
  }
  auto begin() { return blocks_.begin(); }
  auto end() { return blocks_.end(); }
  size_t size() const { return blocks_.size(); }
  Block& operator[](size_t i) { return blocks_[i]; }

 private:
  struct List : torch::nn::Module {};
  std::shared_ptr<List> list_;
  std::vector<Block> blocks_;
};

}  // namespace unclip::nn
