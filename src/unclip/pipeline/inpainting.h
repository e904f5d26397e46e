// Repainting a part of a picture from a caption, through all stages of a model.
#pragma once
#include "unclip/manipulate/inpaint.h"
#include "unclip/pipeline/unclip.h"

namespace unclip::pipeline {

/// `resampling` needs no training; `finetuned` asks the stage "decoder_inpaint", which was trained to see the
/// picture around the hole (GLIDE, Nichol et al. 2022, §2.3); `best` takes that if the model has it.
enum class InpaintMethod { best, resampling, finetuned };

struct InpaintRequest {
  torch::Tensor picture;        // uint8 [H, W, 3 or 4]
  torch::Tensor mask;           // bool [H, W], true is repainted
  std::string caption;          // of the whole picture as it shall be
  std::vector<uint64_t> seeds;  // one per result
  InpaintMethod method = InpaintMethod::best;
  manipulate::InpaintOptions options;  // of the resampling
  SamplingOptions sampling;            // steps: of one way down; its sampler and eta are not used
};

struct Inpainted {
  std::vector<torch::Tensor> pictures;  // uint8 as the request's picture, one per seed
  std::vector<std::string> warnings;
};

/// Pixels outside of the mask are the picture's own, bit for bit. Error(data) for a mask of another size.
Inpainted inpaint(const Unclip& model, const InpaintRequest& request, Progress& progress);

}  // namespace unclip::pipeline

template <>
struct unclip::EnumNames<unclip::pipeline::InpaintMethod> {
  static constexpr std::array<std::pair<pipeline::InpaintMethod, std::string_view>, 3> value{
      {{pipeline::InpaintMethod::best, "best"},
       {pipeline::InpaintMethod::resampling, "resampling"},
       {pipeline::InpaintMethod::finetuned, "finetuned"}}};
};
