// The recorded references of tests/fixtures/diffusion.
#pragma once
#include "unclip/io/safetensors.h"

namespace unclip::testing {

inline io::SafetensorsFile diffusion_fixture(const std::string& name) {
  return io::SafetensorsFile(std::string(UNCLIP_FIXTURES) + "/diffusion/" + name + ".safetensors");
}

inline std::vector<double> to_doubles(const torch::Tensor& x) {
  const torch::Tensor flat = x.to(torch::kFloat64).contiguous();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

inline std::vector<int64_t> to_integers(const torch::Tensor& x) {
  const torch::Tensor flat = x.contiguous();
  return {flat.data_ptr<int64_t>(), flat.data_ptr<int64_t>() + flat.numel()};
}

}  // namespace unclip::testing
