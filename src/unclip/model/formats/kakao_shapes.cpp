#include "unclip/model/formats/kakao_shapes.h"

#include <algorithm>

namespace unclip::model::kakao {
namespace {

constexpr int64_t kExtraPositions = 4;  // of the prior: z_t, timestep, noised z_i, query

std::string in_net(const char* name) { return join_text("model.", name); }

/// An ADM UNet below `net`. The levels show on the way up, where each but the last ends in an upsampling
/// block.
nn::UNetConfig unet_shape(const io::TensorShapes& shapes, const std::string& net, const Settings& settings) {
  const int64_t channels = shapes.size(net + "input_blocks.0.0.weight", 0, 4);
  const std::string up = net + "output_blocks.";
  const auto name = [&](int64_t block, const char* rest) { return up + std::to_string(block) + rest; };
  const int64_t blocks = shapes.count(up, ".0.in_layers.0.weight");
  int64_t levels = 1;
  for (int64_t i = 0; i < blocks; ++i)
    levels += shapes.has(name(i, ".1.in_layers.0.weight")) || shapes.has(name(i, ".2.in_layers.0.weight"));
  check(blocks >= 2 * levels && blocks % levels == 0, ErrorKind::checkpoint, shapes.where(), " has ", blocks,
        " blocks called ", net, "output_blocks.* on ", levels,
        " levels, expected as many, two or more, on each");
  nn::UNetConfig unet{.size = settings.size,
                      .in_channels = shapes.size(net + "input_blocks.0.0.weight", 1, 4),
                      .out_channels = shapes.size(net + "out.2.weight", 0, 4),
                      .channels = channels,
                      .channel_mult = {},
                      .depth = blocks / levels - 1,
                      .attention_resolutions = {},
                      .head_channels = settings.head_channels,
                      .dropout = 0.0,
                      .groups = settings.groups};
  for (int64_t level = 0; level < levels; ++level) {
    const int64_t block = (levels - 1 - level) * (unet.depth + 1);
    const int64_t width = shapes.size(name(block, ".0.out_layers.3.weight"), 0, 4);
    unet.channel_mult.push_back(static_cast<double>(width) / static_cast<double>(unet.channels));
    if (shapes.has(name(block, ".1.qkv.weight"))) unet.attention_resolutions.push_back(unet.size >> level);
  }
  const std::string middle = net + "middle_block.0.";
  unet.scale_shift =
      shapes.size(middle + "emb_layers.1.weight", 0, 2) > shapes.size(middle + "out_layers.3.weight", 0, 4);
  unet.mid_attention = shapes.has(net + "middle_block.1.qkv.weight");
  if (unet.mid_attention) unet.context_width = shapes.size(net + "middle_block.1.encoder_kv.weight", 1, 3);
  return unet;
}

}  // namespace

prior::DiffusionPriorConfig prior_shape(const io::TensorShapes& shapes, const Settings& settings) {
  const std::string blocks = in_net("transformer.resblocks.");
  prior::DiffusionPriorConfig config;
  config.embed_dim = shapes.size(in_net("out_proj.weight"), 0, 2);
  config.text_context = shapes.size(in_net("positional_embedding"), 1, 3) - kExtraPositions;
  config.transformer.width = shapes.size(in_net("positional_embedding"), 2, 3);
  config.transformer.layers = shapes.count(blocks, ".ln_1.weight");
  config.transformer.heads = std::max<int64_t>(1, config.transformer.width / settings.head_channels);
  return config;
}

decoder::DecoderConfig decoder_shape(const io::TensorShapes& shapes, const Settings& settings) {
  decoder::DecoderConfig config;
  config.unet = unet_shape(shapes, in_net(""), settings);
  config.embed_dim = shapes.size(in_net("clip_emb.weight"), 1, 2);
  config.image_tokens =
      shapes.size(in_net("clip_tok_proj.weight"), 0, 2) / std::max<int64_t>(1, config.unet.context_width);
  return config;
}

nn::UNetConfig super_resolution_shape(const io::TensorShapes& shapes,
                                      const std::string& net,
                                      const Settings& settings) {
  Settings large = settings;
  large.size = settings.large_size;
  return unet_shape(shapes, net, large);
}

}  // namespace unclip::model::kakao
