// Shape of a CLIP model, from a few million parameters to the paper's ViT-H/16.
#pragma once
#include "unclip/nn/transformer.h"

namespace unclip::clip {

struct VisionConfig {
  int64_t image_size = 256;  // unCLIP App. C: ViT-H/16 at 256 px, width 1280, 32 blocks; 64 channels per head
  int64_t patch_size = 16;
  int64_t width = 1280;
  int64_t layers = 32;
  int64_t heads = 20;
  double mlp_ratio = 4.0;
  double norm_eps = 1e-5;
  std::vector<double> mean{0.48145466, 0.4578275, 0.40821073};  // of pixels in 0…1 (Radford et al. 2021)
  std::vector<double> std{0.26862954, 0.26130258, 0.27577711};
  int64_t stem_channels =
      0;  // > 0: patches are read by two convolutions (4×4/4, then the rest) with GELU between

  static void fields(auto& self, auto&& field) {
    field("image_size", self.image_size, "side of the input pictures");
    field("patch_size", self.patch_size, "side of a patch");
    field("width", self.width, "width of the tower");
    field("layers", self.layers, "number of blocks");
    field("heads", self.heads, "attention heads");
    field("mlp_ratio", self.mlp_ratio, "hidden width of the MLPs over width");
    field("norm_eps", self.norm_eps, "added to the variance by every LayerNorm");
    field("mean", self.mean, "per channel, taken from pixels in 0...1");
    field("std", self.std, "per channel, divides what is left");
    field("stem_channels", self.stem_channels,
          "channels of a two-convolution patch reader, 0 for one convolution");
  }
};

struct TextConfig {
  int64_t vocab_size = 49408;
  int64_t context_length = 77;
  int64_t width = 1024;  // unCLIP App. C: width 1024, 24 blocks
  int64_t layers = 24;
  int64_t heads = 16;
  double mlp_ratio = 4.0;
  double norm_eps = 1e-5;
  std::optional<int64_t> end_id{};  // of the end-of-text token; by default the highest id of a text

  static void fields(auto& self, auto&& field) {
    field("vocab_size", self.vocab_size, "number of tokens");
    field("context_length", self.context_length, "token positions");
    field("width", self.width, "width of the tower");
    field("layers", self.layers, "number of blocks");
    field("heads", self.heads, "attention heads");
    field("mlp_ratio", self.mlp_ratio, "hidden width of the MLPs over width");
    field("norm_eps", self.norm_eps, "added to the variance by every LayerNorm");
    field("end_id", self.end_id, "the token at which a text is read; by default its highest id");
  }
};

/// Which towers of a model are there: some checkpoints hold only one.
enum class Towers { both, image, text };

struct ClipConfig {
  int64_t embed_dim = 1024;  // unCLIP §2.2
  nn::Activation activation = nn::Activation::quick_gelu;
  VisionConfig vision;
  TextConfig text;

  static void fields(auto& self, auto&& field) {
    field("embed_dim", self.embed_dim, "width of the joint embedding");
    field("activation", self.activation, "gelu or quick_gelu");
    field("vision", self.vision, "image tower");
    field("text", self.text, "text tower");
  }
  void validate() const;
};

}  // namespace unclip::clip
