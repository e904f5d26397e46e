// The whole of unCLIP's Figure 2: caption → z_t → z_i → 64 → 256 → 1024.
#pragma once
#include <memory>

#include "unclip/base/progress.h"
#include "unclip/clip/clip.h"
#include "unclip/decoder/sample.h"
#include "unclip/pipeline/drawing.h"
#include "unclip/pipeline/drawing_noise.h"
#include "unclip/pipeline/memory.h"
#include "unclip/prior/autoregressive_sample.h"
#include "unclip/prior/sample.h"
#include "unclip/text/tokenizer.h"
#include "unclip/upsampler/sample.h"

namespace unclip::pipeline {

struct GenerateRequest {
  std::vector<std::string> captions;  // of the pictures, one each
  std::vector<uint64_t> seeds;        // one each
  Drawing drawing;
  std::filesystem::path recorded_noise{};  // a file that replaces the seeds, see RecordedNoise
};

struct VaryRequest {
  torch::Tensor picture;        // uint8 [H, W, 3]
  std::vector<uint64_t> seeds;  // one per variation
  Drawing drawing;
  std::filesystem::path recorded_noise{};
};

struct Pictures {
  torch::Tensor z_i;       // [N, D]
  torch::Tensor base;      // [N, 3, 64, 64] in −1…1, the decoder's
  torch::Tensor pictures;  // [N, 3, size, size] in −1…1
  std::vector<std::string> warnings;
};

struct UnclipOptions {
  std::filesystem::path vocabulary{};  // see open_model
  /// Bytes that `generate` and `vary` keep to: encoders and stages are released as soon as they are done,
  /// pictures are drawn in smaller batches, nets that take turns are loaded in turn. Pictures stay the same.
  std::optional<int64_t> memory{};
};

class Unclip {
 public:
  /// Opens a model folder of any layout; networks are loaded when they are first needed. `dtype` is that of
  /// activations.
  Unclip(const std::filesystem::path& model, torch::ScalarType dtype, UnclipOptions options = {});

  Pictures generate(const GenerateRequest& request, Progress& progress);
  /// Pictures with the same z_i and empty captions (unCLIP §3.1); the drawing's settings of a prior are
  /// unused.
  Pictures vary(const VaryRequest& request, Progress& progress);

  /// Sizes that the model draws, ascending: 64, 256, …
  std::vector<int64_t> sizes() const { return pipeline::sizes(model_); }
  const Manifest& manifest() const { return model_.manifest; }
  const Model& model() const { return model_; }

  // What those are made of, the arrows of Figure 2, for other ways through the model.

  /// Everything that the pictures after the prior are drawn from.
  struct Conditions {
    torch::Tensor z_i;  // [N, D]
    nn::TextEncoding text;
    DrawingNoise noise;
    bool without_image = false;  // z_i counts as dropped
  };
  /// y → z_t and the text tower's outputs. Too long captions are cut; `warnings` (may be null) says so.
  nn::TextEncoding encode(const std::vector<std::string>& captions, std::vector<std::string>* warnings);
  /// x → z_i [N, D] float32, of the square in the middle of each picture, uint8 [H, W, 3].
  torch::Tensor encode_images(const std::vector<torch::Tensor>& pictures);
  /// z_i [N, D] of captions, from the prior that the plan names (unCLIP §2.2), or z_t in its place (§5.1).
  torch::Tensor draw_z_i(const nn::TextEncoding& text,
                         const DrawingNoise& noise,
                         const Plan& plan,
                         Progress& progress);
  /// All stages behind z_i; one picture from each row.
  Pictures draw(const Conditions& conditions, const Plan& plan, Progress& progress);
  /// z_i → [N, 3, 64, 64] in −1…1 (unCLIP §2.1).
  torch::Tensor decode(const Conditions& conditions,
                       const decoder::DecoderSampling& sampling,
                       Progress& progress);
  /// The upsamplers, from pictures of the decoder's size.
  torch::Tensor enlarge(torch::Tensor pictures,
                        const Plan& plan,
                        const DrawingNoise& noise,
                        Progress& progress);

  decoder::Decoder load_decoder();
  /// The decoder that was trained to fill holes. Error(checkpoint) if the model has none.
  decoder::Decoder load_inpainting_decoder();
  /// `stage` is a name among those of model().upsamplers.
  upsampler::StepNets load_upsampler(const std::string& stage);
  /// What the decoder is told of rows first…last − 1.
  decoder::DrawingInput drawing_input(decoder::Decoder& model,
                                      const Conditions& conditions,
                                      int64_t first,
                                      int64_t last);
  /// `count` encodings of what stands for no caption.
  nn::TextEncoding encode_nothing(size_t count);

 private:
  /// All stages behind z_i, upsamplers for the best of the decoder's candidates.
  Pictures draw_best(const Conditions& conditions, const Plan& plan, Progress& progress);
  /// Of each `candidates` pictures [N · candidates, 3, S, S] that which CLIP sees nearest to its row of `z`
  /// [N, D].
  torch::Tensor nearest_to(const torch::Tensor& z, const torch::Tensor& pictures, int64_t candidates);
  torch::Tensor draw_diffusion(const nn::TextEncoding& text,
                               const DrawingNoise& noise,
                               const prior::PriorSampling& sampling,
                               Progress& progress);
  torch::Tensor draw_autoregressive(const nn::TextEncoding& text,
                                    const DrawingNoise& noise,
                                    const prior::CodeSampling& sampling,
                                    Progress& progress);
  torch::Tensor clip_input(const torch::Tensor& pixels);  // uint8 [H, W, 3] -> [1, 3, S, S]
  /// A network, ready to run; with a budget its matrices stay in their files until a layer packs them.
  template <class Net, class Config, class... Arguments>
  Net load(const Stage<Config>& stage, Arguments... arguments) {
    if (pages_) return_free_memory();  // of the stage before
    Net net(stage.config, arguments...);
    std::vector<torch::Tensor> mapped;
    load_frozen(*net, stage.weights, dtype_, pages_ ? &mapped : nullptr);
    if (pages_) pages_->add(mapped);
    return net;
  }
  upsampler::Upsampler load_upsampler_net(const Stage<upsampler::UpsamplerConfig>& stage);
  /// Before the first stage.
  void prepare_for(const Plan& plan);
  // Of a budget, without which these change nothing.
  void release_encoders();
  void finish_encoding();
  void end_stage(Progress& progress) const;
  int64_t batch_of(const std::string& stage, int64_t usual) const;
  bool nets_take_turns(const std::string& stage) const;

  torch::Tensor upsample(const torch::Tensor& low,
                         const UpsamplingPlan& plan,
                         const DrawingNoise& noise,
                         Progress& progress);

  Model model_;
  torch::ScalarType dtype_;
  std::optional<int64_t> budget_;
  std::vector<StageNeed> needs_{};         // of the drawing, with a budget
  std::unique_ptr<PageReleaser> pages_{};  // with a budget
  std::optional<nn::TextEncoding> nothing_{};
  text::Tokenizer tokenizer_;
  clip::Clip text_encoder_{nullptr}, image_encoder_{nullptr};
};

}  // namespace unclip::pipeline
