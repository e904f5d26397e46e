// Manipulations of pictures (unCLIP §3, §4) with a whole model: each makes the z_i and x_T of some frames and
// draws them. Decoders that read captions are given the empty one, as for variations.
#pragma once
#include <variant>

#include "unclip/manipulate/latent.h"
#include "unclip/manipulate/principal_components.h"
#include "unclip/pipeline/unclip.h"

namespace unclip::pipeline {

/// (z_i, x_T) of pictures, uint8 [H, W, 3]: of the square in the middle of each, at the decoder's size.
/// Error(usage) for a path that does not fit the decoder's schedule.
manipulate::Latent invert(const Unclip& model,
                          const std::vector<torch::Tensor>& pictures,
                          const manipulate::LatentPath& path,
                          Progress& progress);

struct LatentRequest {
  manipulate::Latent latent;    // N rows, or one for all seeds
  double eta = 0;               // 0 reconstructs, more varies (§3.1)
  std::vector<uint64_t> seeds;  // one per picture
  SamplingOptions sampling;     // sizes and upsamplers; the decoder follows the latent's path
};
Pictures draw_latent(const Unclip& model, const LatentRequest& request, Progress& progress);

/// An end of an interpolation: a picture, uint8 [H, W, 3], or a caption, whose z_i the prior draws.
using Endpoint = std::variant<torch::Tensor, std::string>;

struct InterpolateRequest {
  Endpoint a, b;
  int64_t frames = 9;
  /// With a path, x_T is slerped between both inversions, so that the ends reconstruct (pictures only);
  /// without, one draw of x_T serves all frames, as in Fig. 4.
  std::optional<manipulate::LatentPath> inverted;
  uint64_t seed = 0;
  SamplingOptions sampling;
};
/// z_θ = slerp(z_1, z_2, θ), θ evenly from 0 to 1 (§3.2).
Pictures interpolate(const Unclip& model, const InterpolateRequest& request, Progress& progress);

struct EditRequest {
  torch::Tensor picture;  // uint8 [H, W, 3]
  std::optional<std::string>
      from;  // what the picture shows now; none: z_d = norm(z_t), the paper's footnote 3
  std::string to;
  double theta = 0.4;  // of the last frame
  int64_t frames = 7;
  manipulate::LatentPath path;
  uint64_t seed = 0;  // of the upsamplers
  SamplingOptions sampling;
};
/// Text diffs (§3.3): θ evenly from 0 to the last, x_T inverted once and held.
Pictures edit(const Unclip& model, const EditRequest& request, Progress& progress);

/// The components that an autoregressive prior of the model was fitted with (§2.2), if it has one.
std::optional<manipulate::PrincipalComponents> stored_components(const model::Model& model);

struct ProbeRequest {
  torch::Tensor picture;  // uint8 [H, W, 3]
  manipulate::PrincipalComponents components;
  std::vector<int64_t> counts;  // components kept, one per frame
  uint64_t seed = 0;
  SamplingOptions sampling;
};
/// What the first principal components of z_i keep (§4, Fig. 7): one draw of x_T for all frames.
Pictures probe(const Unclip& model, const ProbeRequest& request, Progress& progress);

}  // namespace unclip::pipeline
