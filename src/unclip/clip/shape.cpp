#include <algorithm>
#include <cmath>

#include "unclip/clip/key_map.h"
#include "unclip/io/tensor_shapes.h"

namespace unclip::clip {
namespace {

/// Of a transformer's blocks: how many, and the MLP's width over the tower's.
template <class Tower>
void read_tower(const io::TensorShapes& shapes, const std::string& name, int64_t head_width, Tower& tower) {
  const std::string blocks = name + ".transformer.blocks.";
  tower.layers = shapes.count(blocks, ".ln_1.weight");
  tower.heads = std::max<int64_t>(1, tower.width / head_width);
  tower.mlp_ratio =
      static_cast<double>(shapes.size(blocks + "0.mlp.fc.weight", 0, 2)) / static_cast<double>(tower.width);
}

}  // namespace

ClipConfig shape_of(const io::NamedTensors& ours, const std::string& where, int64_t head_width) {
  const io::TensorShapes shapes(ours, where, "is no CLIP of two transformers, under this program's names");
  ClipConfig config{.embed_dim = shapes.size("text.proj.weight", 0, 2),
                    .activation = nn::Activation::quick_gelu};
  config.vision.width = shapes.size("visual.patches.weight", 0, 4);
  config.vision.patch_size = shapes.size("visual.patches.weight", 2, 4);
  const int64_t patches = shapes.size("visual.positional_embedding", 0, 2) - 1;
  const int64_t side = std::llround(std::sqrt(static_cast<double>(patches)));
  check(side * side == patches, ErrorKind::checkpoint, where, " reads ", patches,
        " patches, expected a square number");
  config.vision.image_size = side * config.vision.patch_size;
  read_tower(shapes, "visual", head_width, config.vision);
  config.text.vocab_size = shapes.size("text.token_embedding.weight", 0, 2);
  config.text.width = shapes.size("text.token_embedding.weight", 1, 2);
  config.text.context_length = shapes.size("text.positional_embedding", 0, 2);
  read_tower(shapes, "text", head_width, config.text);
  config.validate();
  return config;
}

}  // namespace unclip::clip
