// Weights between files and modules, strictly: every tensor of one side has its partner on the other.
#pragma once
#include <torch/nn/module.h>

#include "unclip/io/safetensors.h"

namespace unclip::io {

/// Parameters and buffers of a module by name.
NamedTensors state_of(const torch::nn::Module& module);

/// Puts `tensors` into `module` without copying (mapped files stay mapped; the dtype is the file's). Missing,
/// unexpected and misshapen tensors are one Error(checkpoint) that names them and `where`; the module is then
/// unchanged.
void load_state(torch::nn::Module& module, const NamedTensors& tensors, const std::string& where);

/// Replaces every parameter and buffer by a float32 copy of its own: what training and in-place changes need.
void make_trainable(torch::nn::Module& module);

}  // namespace unclip::io
