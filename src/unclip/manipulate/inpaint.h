// Repainting a part of a picture with a model that was never trained for it: known pixels are put back at
// every step, and going back to more noise again and again lets the new part agree with them (RePaint,
// Lugmayr et al. 2022).
#pragma once
#include "unclip/diffusion/samplers/ddim.h"

namespace unclip::manipulate {

using torch::Tensor;

struct InpaintOptions {
  int64_t jump_length = 5;  // steps that are gone back at once; RePaint's j
  int64_t resamplings = 4;  // how often each such stretch is gone down; RePaint's r, 1 for no jumps back
  double eta = 1;           // noise of the steps down: 1 for ancestral ones, as in RePaint, 0 for none

  static void fields(auto& self, auto&& field) {
    field("jump_length", self.jump_length, "steps that are gone back at once");
    field("resamplings", self.resamplings, "how often each stretch of steps is gone through");
    field("eta", self.eta, "noise of the steps down, 0 to 1");
  }
  /// Error(config) unless counts are at least 1 and eta lies in 0…1.
  void validate() const;
};

/// What must stay: pictures [N or 1, C, H, W] and where they are repainted, bool [N or 1, 1, H, W].
struct KnownPixels {
  Tensor x_0;
  Tensor repaint;
};

/// How a picture is repainted, step by step.
struct InpaintWalk {
  diffusion::Trajectory steps;  // a Step whose t_prev is its noisier end goes back up
  double eta = 1;               // of the steps down
};

/// RePaint's Algorithm 1 with jumps of j steps: the trajectory's steps in stretches of j, each gone down r
/// times.
InpaintWalk inpainting_walk(const diffusion::Trajectory& down, const InpaintOptions& options);

/// x_0 whose pixels outside of `repaint` are known.x_0's, bit for bit. Downwards Eq. 8: x_{t−1} is q(x_{t−1}
/// | x_0) where pixels are known and a step of DDIM elsewhere; upwards x_{t+j} ~ q(x_{t+j} | x_t). One
/// evaluation of the network per step down.
Tensor inpaint(const diffusion::Denoiser& denoise,
               const KnownPixels& known,
               const Tensor& x_T,
               const InpaintWalk& walk,
               const diffusion::SamplingHooks& hooks);

}  // namespace unclip::manipulate
