// The whole of unCLIP's Figure 2: caption → z_t → z_i → 64 → 256 → 1024.
#pragma once
#include <memory>

#include "unclip/base/progress.h"
#include "unclip/clip/clip.h"
#include "unclip/decoder/sample.h"
#include "unclip/pipeline/drawing.h"
#include "unclip/prior/sample.h"
#include "unclip/text/tokenizer.h"
#include "unclip/upsampler/sample.h"

namespace unclip::pipeline {

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
  /// Pictures with the same z_i and empty captions (unCLIP §3.1); the drawing's settings of a prior are
  /// unused.
  Pictures vary(const VaryRequest& request, Progress& progress);

  /// Sizes that the model draws, ascending: 64, 256, …
  std::vector<int64_t> sizes() const { return pipeline::sizes(directory_); }
  const Manifest& manifest() const { return directory_.manifest(); }

  // What those are made of, for other ways through the model (manipulations.h).

  /// Everything that the pictures after the prior are drawn from.
  struct Conditions {
    torch::Tensor z_i;
    nn::TextEncoding text;
    std::vector<uint64_t> seeds;
    bool without_image = false;  // z_i counts as dropped
  };
  const ModelDirectory& directory() const { return directory_; }
  /// Too long captions are cut; `warnings` (may be null) says so.
  nn::TextEncoding encode(const std::vector<std::string>& captions, std::vector<std::string>* warnings);
  /// z_i of the square in the middle of each picture, uint8 [H, W, 3]: [N, D] float32.
  torch::Tensor encode_images(const std::vector<torch::Tensor>& pictures);
  torch::Tensor draw_z_i(const nn::TextEncoding& text,
                         const std::vector<uint64_t>& seeds,
                         const prior::PriorSampling& sampling,
                         Progress& progress);
  /// All stages behind z_i.
  Pictures draw(const Conditions& conditions, const Plan& plan, Progress& progress);
  /// The upsamplers alone, from pictures of the decoder's size.
  torch::Tensor enlarge(torch::Tensor pictures,
                        const Plan& plan,
                        const std::vector<uint64_t>& seeds,
                        Progress& progress);
  decoder::Decoder load_decoder(const std::string& stage = "decoder");
  upsampler::Upsampler load_upsampler(const std::string& stage);
  /// What the decoder is told of rows first…last − 1.
  decoder::DrawingInput drawing_input(decoder::Decoder& model,
                                      const Conditions& conditions,
                                      int64_t first,
                                      int64_t last);

 private:
  clip::Clip& clip();
  torch::Tensor decode(const Conditions& conditions,
                       const decoder::DecoderSampling& sampling,
                       Progress& progress);
  torch::Tensor upsample(const torch::Tensor& low,
                         const UpsamplingPlan& plan,
                         const std::vector<uint64_t>& seeds,
                         Progress& progress);

  ModelDirectory directory_;
  torch::ScalarType dtype_;
  text::Tokenizer tokenizer_;
  clip::Clip clip_{nullptr};
};

}  // namespace unclip::pipeline
