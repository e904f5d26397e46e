// Recorded tensors of the Python references (tests/fixtures/README.md).
#pragma once
#include <torch/types.h>

#include <string>

#include "unclip/base/error.h"
#include "unclip/io/safetensors.h"

namespace unclip::testing {

class Fixture {
 public:
  /// tests/fixtures/NAME.safetensors; a missing file fails the test.
  explicit Fixture(const std::string& name) : file_(join_text(UNCLIP_FIXTURES, '/', name, ".safetensors")) {}

  torch::Tensor operator[](const std::string& name) const { return file_.tensor(name).clone(); }
  bool contains(const std::string& name) const { return file_.contains(name); }
  /// All tensors called `prefix` + key, by key.
  io::NamedTensors group(const std::string& prefix) const {
    io::NamedTensors result;
    for (const auto& [name, tensor] : file_.tensors()) {
      if (name.starts_with(prefix)) result[name.substr(prefix.size())] = tensor.clone();
    }
    return result;
  }

 private:
  io::SafetensorsFile file_;
};

}  // namespace unclip::testing
