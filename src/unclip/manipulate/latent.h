// The bipartite latent (z_i, x_T) of a picture (unCLIP §3): z_i holds what CLIP sees in it, x_T all that the
// decoder needs beside that to draw the very picture again.
#pragma once
#include <filesystem>

#include "unclip/decoder/sample.h"

namespace unclip::manipulate {

using torch::Tensor;

/// The way between x_0 and x_T through the decoder; it must be the same in both directions.
struct LatentPath {
  std::string timesteps = "logsnr50";  // diffusion::parse_timesteps; even in log-SNR reconstructs best
  double guidance = 1.0;  // other scales reconstruct only roughly (Dhariwal & Nichol 2021, App. F)
};

/// N pictures as the decoder knows them.
struct Latent {
  Tensor z_i;  // [N, D]
  Tensor x_T;  // [N, 3, S, S]
  LatentPath path;
};

/// The steps of a path. The last few timesteps of a cosine schedule, where no signal is left and x_T would be
/// the network's own ε̂, are left out (Dhariwal & Nichol 2021, App. F: 249 of 250 steps): λ_t ≥ −5.1 as for
/// ODE solvers.
diffusion::Trajectory trajectory(const LatentPath& path, const diffusion::NoiseSchedule& schedule);

/// x_T of pictures [N, 3, S, S] in −1…1: DDIM backwards, conditioned on `input`, x̂_0 neither clamped nor
/// thresholded. One evaluation of the network per step.
Tensor invert(decoder::Decoder& model,
              const decoder::SampleInput& input,
              const Tensor& pictures,
              const LatentPath& path,
              const diffusion::SamplingHooks& hooks);

/// DDIM forwards from x_T along the same path: [N, 3, S, S] in −1…1. η 0 reconstructs; the larger η, the
/// farther from the picture (unCLIP §3.1). Noise comes from the hooks, η > 0 only.
Tensor decode(decoder::Decoder& model,
              const decoder::SampleInput& input,
              const Latent& latent,
              double eta,
              const diffusion::SamplingHooks& hooks);

/// One file with tensors z_i and x_T and the path in its metadata.
void save_latent(const std::filesystem::path& file, const Latent& latent, const std::string& model);
/// Error(checkpoint) that names the file if it is no such latent.
Latent load_latent(const std::filesystem::path& file);

}  // namespace unclip::manipulate
