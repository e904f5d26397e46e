#include "unclip/nn/layer.h"

namespace unclip::nn {
namespace {

torch::Device& parameter_device() {
  thread_local torch::Device device = torch::kCPU;
  return device;
}

}  // namespace

ParameterDevice::ParameterDevice(torch::Device device) : previous_(parameter_device()) {
  parameter_device() = device;
}
ParameterDevice::~ParameterDevice() { parameter_device() = previous_; }

Tensor Layer::make_parameter(const std::string& name, torch::IntArrayRef shape) {
  return register_parameter(name,
                            torch::empty(shape, torch::dtype(torch::kFloat32).device(parameter_device())));
}

void StatsImpl::add(const std::string& name, torch::IntArrayRef shape, double fill) {
  const auto options = torch::dtype(torch::kFloat32).device(parameter_device());
  named_buffers_.insert(name, register_buffer(name, torch::full(shape, fill, options)));
}

void initialize_parameters(torch::nn::Module& module, uint64_t seed) {
  const torch::NoGradGuard no_grad;
  for (const auto& item : module.named_modules()) {
    if (auto* layer = dynamic_cast<Layer*>(item.value().get())) {
      layer->initialize({seed, stream_id("initialize." + item.key()), 0});
    }
  }
}

void freeze_parameters(torch::nn::Module& module) {
  module.eval();
  for (Tensor& parameter : module.parameters()) parameter.set_requires_grad(false);
  for (const auto& submodule : module.modules()) {
    if (auto* layer = dynamic_cast<Layer*>(submodule.get())) layer->freeze();
  }
}

int64_t count_parameters(const torch::nn::Module& module) {
  int64_t count = 0;
  for (const Tensor& parameter : module.parameters()) count += parameter.numel();
  return count;
}

}  // namespace unclip::nn
