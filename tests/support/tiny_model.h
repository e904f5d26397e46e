// A whole model directory with random weights, a few hundred kilobytes: for tests of the pipeline.
#pragma once
#include "support/temporary_folder.h"
#include "unclip/io/file.h"
#include "unclip/io/state.h"
#include "unclip/pipeline/unclip.h"
#include "unclip/text/tokenizer_trainer.h"

namespace unclip::testing {

/// `finish` adds what is no weight.
template <class Net, class Config>
void write_stage(const std::filesystem::path& folder,
                 const Config& config,
                 const std::function<void(Net&)>& finish = nullptr) {
  Net net(config);
  nn::initialize_parameters(*net, 1);
  const torch::NoGradGuard no_grad;
  uint64_t stream = 0;  // zero-initialised layers would hide everything behind them
  for (torch::Tensor& p : net->parameters()) p.add_(normal_noise({7, ++stream, 0}, p.sizes()) * 0.02);
  if (finish) finish(net);
  std::filesystem::create_directories(folder);
  io::save_state(*net, folder / "model.safetensors");
  io::write_file_atomically(folder / "config.json", config_to_json(config));
}

inline void write_tiny_ar_prior(const std::filesystem::path& folder) {
  const prior::AutoregressivePriorConfig config{.embed_dim = 16,
                                                .transformer = {.width = 16, .layers = 1, .heads = 2},
                                                .context = 8,
                                                .text_source = prior::PriorText::clip,
                                                .text_width = 16,
                                                .components = 6,
                                                .buckets = 16,
                                                .dot_product_bins = 4};
  const auto fit = [](prior::AutoregressivePrior& net) {
    prior::EmbeddingMoments moments(16);
    moments.add(normal_noise({8, 1, 0}, {32, 16}));
    net->fit(prior::principal_components(moments), normal_noise({8, 2, 0}, {32}));
  };
  write_stage<prior::AutoregressivePrior, prior::AutoregressivePriorConfig>(folder, config, fit);
}

/// Stages clip, prior, ar_prior, decoder (16 px) and upsampler_32, with a tokenizer of 514 tokens.
inline void write_tiny_model(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder / "tokenizer");
  text::TokenizerTrainer trainer;
  trainer.add("a red heart");
  trainer.train({.vocabulary_size = 514}).save(folder / "tokenizer");
  const clip::ClipConfig clip{
      .embed_dim = 16,
      .vision = {.image_size = 16, .patch_size = 8, .width = 16, .layers = 1, .heads = 2},
      .text = {.vocab_size = 514, .context_length = 24, .width = 16, .layers = 1, .heads = 2}};
  write_stage<clip::Clip>(folder / "clip", clip);
  write_stage<prior::DiffusionPrior>(
      folder / "prior",
      prior::DiffusionPriorConfig{.embed_dim = 16,
                                  .transformer = {.width = 16, .layers = 1, .heads = 2},
                                  .text_source = prior::PriorText::clip,
                                  .text_context = 24,
                                  .text_width = 16,
                                  .scaling = prior::EmbeddingScaling::standardize,
                                  .sampling = {.sampler = {.timesteps = "4"}, .guidance = 2.0}});
  write_tiny_ar_prior(folder / "ar_prior");
  const nn::UNetConfig unet{.size = 16,
                            .out_channels = 3,
                            .channels = 8,
                            .channel_mult = {1, 2},
                            .depth = 1,
                            .attention_resolutions = {8},
                            .head_channels = 8,
                            .context_width = 12,
                            .groups = 4};
  const diffusion::DiffusionConfig v{.parameterization = diffusion::Parameterization::v};
  write_stage<decoder::Decoder>(
      folder / "decoder",
      decoder::DecoderConfig{
          .unet = unet,
          .embed_dim = 16,
          .text = {.source = decoder::DecoderText::clip, .context_length = 24, .clip_width = 16},
          .diffusion = v,
          .sampling = {.sampler = {.kind = diffusion::Sampler::ddim, .timesteps = "4"}, .guidance = 2.0}});
  nn::UNetConfig up = unet;
  up.size = 32;
  up.in_channels = 6;
  up.attention_resolutions = {};
  up.mid_attention = false;
  up.context_width = 0;
  write_stage<upsampler::Upsampler>(
      folder / "upsampler_32",
      upsampler::UpsamplerConfig{.unet = up,
                                 .diffusion = v,
                                 .sampler = {.kind = diffusion::Sampler::ddim, .timesteps = "3"},
                                 .low_size = 16});
  model::write_manifest(folder, {.name = "tiny",
                                 .version = "1",
                                 .licence = "Apache-2.0",
                                 .card = "",
                                 .attribution = {},
                                 .trained_on = {},
                                 .stages = {{"clip", "clip"},
                                            {"prior", "prior"},
                                            {"ar_prior", "ar_prior"},
                                            {"decoder", "decoder"},
                                            {"upsampler_32", "upsampler_32"}}});
}

}  // namespace unclip::testing
