#include <cmath>

#include "unclip/clip/key_map.h"

namespace unclip::clip {
namespace {

constexpr int64_t kHeadWidth = 64;

class Shapes {
 public:
  Shapes(const io::NamedTensors& tensors, const std::string& where) : tensors_(tensors), where_(where) {}

  int64_t size(const std::string& name, int64_t dimension, int64_t dimensions) const {
    const auto found = tensors_.find(name);
    check(found != tensors_.end(), ErrorKind::checkpoint, where_,
          " is no CLIP of two transformers: it lacks what this program calls '", name, "'");
    check(found->second.dim() == dimensions && found->second.numel() > 0, ErrorKind::checkpoint, where_,
          ": '", name, "' has ", found->second.dim(), " dimensions, expected ", dimensions);
    return found->second.size(dimension);
  }

  /// Of a transformer's blocks: how many, and the MLP's width over the tower's.
  template <class Tower>
  void read_tower(const std::string& name, Tower& tower) const {
    const std::string blocks = name + ".transformer.blocks.";
    tower.layers = 0;
    while (tensors_.contains(blocks + std::to_string(tower.layers) + ".ln_1.weight")) ++tower.layers;
    tower.heads = std::max<int64_t>(1, tower.width / kHeadWidth);
    tower.mlp_ratio =
        static_cast<double>(size(blocks + "0.mlp.fc.weight", 0, 2)) / static_cast<double>(tower.width);
  }

 private:
  const io::NamedTensors& tensors_;
  const std::string& where_;
};

}  // namespace

ClipConfig shape_of(const io::NamedTensors& ours, const std::string& where) {
  const Shapes shapes(ours, where);
  ClipConfig config{.embed_dim = shapes.size("text.proj.weight", 0, 2),
                    .activation = nn::Activation::quick_gelu};
  config.vision.width = shapes.size("visual.patches.weight", 0, 4);
  config.vision.patch_size = shapes.size("visual.patches.weight", 2, 4);
  const int64_t patches = shapes.size("visual.positional_embedding", 0, 2) - 1;
  const int64_t side = std::llround(std::sqrt(static_cast<double>(patches)));
  check(side * side == patches, ErrorKind::checkpoint, where, " reads ", patches,
        " patches, expected a square number");
  config.vision.image_size = side * config.vision.patch_size;
  shapes.read_tower("visual", config.vision);
  config.text.vocab_size = shapes.size("text.token_embedding.weight", 0, 2);
  config.text.width = shapes.size("text.token_embedding.weight", 1, 2);
  config.text.context_length = shapes.size("text.positional_embedding", 0, 2);
  shapes.read_tower("text", config.text);
  config.validate();
  return config;
}

}  // namespace unclip::clip
