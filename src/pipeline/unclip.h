// The whole of unCLIP's Figure 2: caption → z_t → z_i → 64 → 256 → 1024.
#pragma once
#include <memory>

#include "unclip/base/progress.h"
#include "unclip/clip/clip.h"
#include "unclip/decoder/sample.h"
#include "unclip/pipeline/model_directory.h"
#include "unclip/prior/sample.h"
#include "unclip/text/tokenizer.h"
#include "unclip/upsampler/sample.h"

namespace unclip::pipeline {

/// Where the decoder's z_i comes from: the diffusion prior, z_t in its place, or nowhere (unCLIP §5.1).
enum class PriorKind { diffusion, text, none };

/// How pictures are drawn; what is absent stays as the model's configuration says.
struct Drawing {
  PriorKind prior = PriorKind::diffusion;
  std::optional<double> prior_guidance, guidance;
  std::optional<std::string> prior_steps, steps;  // numbers or spacings, see diffusion::parse_timesteps
  std::vector<std::string> upsampler_steps;       // of the first, the second upsampler
  std::optional<diffusion::Sampler> prior_sampler, sampler, upsampler_sampler;
  std::optional<double> eta;  // of ddim, in the decoder
  int64_t size = 256;         // 64 or an upsampler's size
};

struct GenerateRequest {
  std::vector<std::string> captions;  // of the pictures, one each
  std::vector<uint64_t> seeds;        // one each
  Drawing drawing;
};

struct VaryRequest {
  torch::Tensor picture;        // uint8 [H, W, 3]
  std::vector<uint64_t> seeds;  // one per variation
  Drawing drawing;
};

struct Pictures {
  torch::Tensor z_i;       // [N, D]
  torch::Tensor base;      // [N, 3, 64, 64] in −1…1, the decoder's
  torch::Tensor pictures;  // [N, 3, size, size] in −1…1
  std::vector<std::string> warnings;
};

class Unclip {
 public:
  /// Opens a model directory; stages are loaded when they are first needed. `dtype` is that of activations.
  Unclip(const std::filesystem::path& model, torch::ScalarType dtype);

  Pictures generate(const GenerateRequest& request, Progress& progress);
  /// Pictures with the same z_i and empty captions (unCLIP §3.1).
  Pictures vary(const VaryRequest& request, Progress& progress);

  /// Sizes that the model draws, ascending: 64, 256, …
  std::vector<int64_t> sizes() const;
  const Manifest& manifest() const { return directory_.manifest(); }

 private:
  /// Everything that the pictures after the prior are drawn from.
  struct Conditions {
    torch::Tensor z_i;
    nn::TextEncoding text;
    std::vector<uint64_t> seeds;
  };
  clip::Clip& clip();
  nn::TextEncoding encode(const std::vector<std::string>& captions, std::vector<std::string>* warnings);
  torch::Tensor draw_z_i(const nn::TextEncoding& text, const GenerateRequest& request, Progress& progress);
  Pictures draw(const Conditions& conditions, const Drawing& drawing, Progress& progress);
  torch::Tensor decode(const Conditions& conditions, const Drawing& drawing, Progress& progress);
  torch::Tensor upsample(const torch::Tensor& low,
                         size_t index,
                         const Conditions& conditions,
                         const Drawing& drawing,
                         Progress& progress);
  void check_drawing(const Drawing& drawing) const;

  ModelDirectory directory_;
  torch::ScalarType dtype_;
  text::Tokenizer tokenizer_;
  clip::Clip clip_{nullptr};
};

/// Names of the model's upsampling stages by their size, ascending.
std::map<int64_t, std::string> upsampling_stages(const ModelDirectory& directory);

}  // namespace unclip::pipeline

template <>
struct unclip::EnumNames<unclip::pipeline::PriorKind> {
  static constexpr std::array<std::pair<pipeline::PriorKind, std::string_view>, 3> value{
      {{pipeline::PriorKind::diffusion, "diffusion"},
       {pipeline::PriorKind::text, "text"},
       {pipeline::PriorKind::none, "none"}}};
};
