// The whole of unCLIP's Figure 2: caption → z_t → z_i → 64 → 256 → 1024.
#pragma once
#include <memory>

#include "unclip/decoder/sample.h"
#include "unclip/pipeline/clip_encoder.h"
#include "unclip/pipeline/plan.h"
#include "unclip/pipeline/sampling_noise.h"

namespace unclip::pipeline {

struct GenerateRequest {
  std::vector<std::string> captions;  // of the pictures, one each
  std::vector<uint64_t> seeds;        // one each
  SamplingOptions sampling;
  std::filesystem::path recorded_noise{};  // a file that replaces the seeds, see RecordedNoise
};

struct VaryRequest {
  torch::Tensor picture;        // uint8 [H, W, 3]
  std::vector<uint64_t> seeds;  // one per variation
  SamplingOptions sampling;
  std::filesystem::path recorded_noise{};
};

struct Pictures {
  torch::Tensor z_i;       // [N, D]
  torch::Tensor base;      // [N, 3, 64, 64] in −1…1, the decoder's
  torch::Tensor pictures;  // [N, 3, size, size] in −1…1
  std::vector<std::string> warnings;
};

/// A model that draws. Safe to use from several threads at once: what they share is immutable once it is
/// loaded, and each request has its own Progress, with the token that stops it.
class Unclip {
 public:
  explicit Unclip(std::shared_ptr<Networks> networks);
  /// Opens a model of any layout; for `vocabulary` see model::open_model.
  Unclip(const std::filesystem::path& model,
         const NetworksOptions& options,
         const std::filesystem::path& vocabulary = {});
  Unclip(const std::filesystem::path& model, torch::ScalarType dtype);

  Pictures generate(const GenerateRequest& request, Progress& progress) const;
  /// Pictures with the same z_i and empty captions (unCLIP §3.1); the settings of a prior are unused.
  Pictures vary(const VaryRequest& request, Progress& progress) const;

  /// Sizes that the model draws, ascending: 64, 256, …
  std::vector<int64_t> sizes() const { return pipeline::sizes(model()); }
  const model::Model& model() const { return networks_->model(); }
  Networks& networks() const { return *networks_; }
  const ClipEncoder& clip() const { return clip_; }

  /// All settings of a drawing, within the networks' budget of memory. What is wrong with them, or missing
  /// from the model's files, shows here: before the stages that come first have drawn for minutes.
  Plan plan(const SamplingOptions& sampling) const;

  // What those are made of, the arrows of Figure 2, for other ways through the model.

  /// Everything that the pictures after the prior are drawn from.
  struct Conditions {
    torch::Tensor z_i;  // [N, D]
    nn::TextEncoding text;
    SamplingNoise noise;
    bool without_image = false;  // z_i counts as dropped
  };
  /// z_i [N, D] of captions, from the prior that the plan names (unCLIP §2.2), or z_t in its place (§5.1).
  torch::Tensor draw_z_i(const nn::TextEncoding& text,
                         const SamplingNoise& noise,
                         const Plan& plan,
                         Progress& progress) const;
  /// All stages behind z_i; one picture from each row.
  Pictures draw(const Conditions& conditions, const Plan& plan, Progress& progress) const;
  /// z_i → [N, 3, 64, 64] in −1…1 (unCLIP §2.1).
  torch::Tensor decode(const Conditions& conditions, const Plan& plan, Progress& progress) const;
  /// The upsamplers, from pictures of the decoder's size.
  torch::Tensor enlarge(torch::Tensor pictures,
                        const Plan& plan,
                        const SamplingNoise& noise,
                        Progress& progress) const;
  /// What the decoder is told of rows first…last − 1.
  decoder::SampleInput sample_input(const Conditions& conditions, int64_t first, int64_t last) const;

 private:
  /// All stages behind z_i, upsamplers for the best of the decoder's candidates.
  Pictures draw_best(const Conditions& conditions, const Plan& plan, Progress& progress) const;
  /// Of each `candidates` pictures [N · candidates, 3, S, S] that which CLIP sees nearest to its row of `z`
  /// [N, D].
  torch::Tensor nearest_to(const torch::Tensor& z, const torch::Tensor& pictures, int64_t candidates) const;
  torch::Tensor draw_diffusion(const nn::TextEncoding& text,
                               const SamplingNoise& noise,
                               const Plan& plan,
                               Progress& progress) const;
  torch::Tensor draw_autoregressive(const nn::TextEncoding& text,
                                    const SamplingNoise& noise,
                                    const prior::CodeSampling& sampling,
                                    Progress& progress) const;
  torch::Tensor upsample(const torch::Tensor& low,
                         const UpsamplingPlan& plan,
                         const SamplingNoise& noise,
                         Progress& progress) const;
  void end_stage(Progress& progress) const;
  bool reads_captions() const;  // the decoder

  std::shared_ptr<Networks> networks_;
  ClipEncoder clip_;
};

}  // namespace unclip::pipeline
