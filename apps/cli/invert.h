// Latents (z_i, x_T) on the command line: what `vary`, `edit` and `interpolate` need of them, and `embed
// --invert`.
#pragma once
#include "apps/cli/sampling_flags.h"
#include "unclip/manipulate/latent.h"

namespace unclip::cli {

/// --steps and --guidance as the way of an inversion. Error(usage) if a sampler was named that cannot go it.
manipulate::LatentPath latent_path(const SamplingFlags& flags);
/// Inversion is sensitive to rounding: activations are fp32 unless --dtype names another type.
torch::ScalarType inversion_dtype(const SamplingFlags& flags);
/// The drawing that goes with a latent: --steps, --guidance and --eta belong to its path.
pipeline::SamplingOptions latent_sampling(const SamplingFlags& flags);

/// `embed --invert IMAGE… -o LATENT.safetensors`, from pictures that are already known to be files.
void write_latent(const std::vector<std::filesystem::path>& pictures,
                  const SamplingFlags& flags,
                  const Context& context);

}  // namespace unclip::cli
