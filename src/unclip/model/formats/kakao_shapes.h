// The networks of Kakao's own Karlo files, which come without configurations, read off their tensors.
#pragma once
#include "unclip/decoder/config.h"
#include "unclip/io/tensor_shapes.h"
#include "unclip/prior/config.h"
#include "unclip/upsampler/config.h"

namespace unclip::model::kakao {

/// What tensors cannot tell. karlo.json beside the files may say it of a model of other sizes; the defaults
/// are Karlo's.
struct Settings {
  int64_t head_channels = 64;
  int64_t clip_head_channels = 64;
  int64_t groups = 32;
  int64_t size = 64;
  int64_t large_size = 256;

  static void fields(auto& self, auto&& field) {
    field("head_channels", self.head_channels, "channels of an attention head of prior and decoder");
    field("clip_head_channels", self.clip_head_channels, "channels of an attention head of CLIP");
    field("groups", self.groups, "groups of every GroupNorm");
    field("size", self.size, "side of the decoder's pictures in pixels");
    field("large_size", self.large_size, "side of the pictures of super-resolution in pixels");
  }
};

/// Shapes only: how they are trained and sampled is not in the files. Error(checkpoint) names the file and a
/// tensor that is missing.
prior::DiffusionPriorConfig prior_shape(const io::TensorShapes& shapes, const Settings& settings);
decoder::DecoderConfig decoder_shape(const io::TensorShapes& shapes, const Settings& settings);
/// The net whose names begin with `net`: "model_first_steps." or "model_last_step.".
nn::UNetConfig super_resolution_shape(const io::TensorShapes& shapes,
                                      const std::string& net,
                                      const Settings& settings);

}  // namespace unclip::model::kakao
