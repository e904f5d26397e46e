// Karlo (kakaobrain, 2022), an unCLIP trained on 115 M pairs, whatever its folder looks like. It differs from
// our own models in these points, all of them data:
// - prior and decoder read the outputs of CLIP's text tower, masked beyond the end of the text;
// - z_i is standardised by CLIP's statistics inside the prior, and enters the decoder as it is;
// - the learned null embedding replaces a dropped z_i, and z_t joins the timestep embedding;
// - schedulers compute in float32 tables and visit evenly spaced timesteps, both ends included;
// - the last of the super-resolution steps has a network of its own.
#pragma once
#include <functional>

#include "unclip/model/foreign_config.h"
#include "unclip/model/model.h"

namespace unclip::model::karlo {

/// The configuration of a component ("prior", "decoder_scheduler", "tokenizer", …) in the words of diffusers
/// and transformers.
using ConfigSource = std::function<ForeignConfig(const std::string& component)>;

/// What not every folder holds.
struct Parts {
  bool prior = false;
  bool image_encoder = false;
};

/// All of Karlo but its name, where its weights lie and its tokenizer. Error(config) names file and key if
/// this program cannot run what the configurations describe, or if they contradict each other.
Model assemble(const ConfigSource& configs, const Parts& parts, const std::filesystem::path& folder);

/// Ours, for the upsampler to `size`.
std::string upsampler_name(int64_t size);

}  // namespace unclip::model::karlo
