// A component of Karlo at its real size with random weights, made once and then run at each line of input, so
// that a script can take turns with a peer.
// Usage: bench_karlo COMPONENT STORED COMPUTED THREADS
//   COMPONENT: prior (a guided draw of 25 steps, its text included), decoder (a step, guided: batch of 2),
//   super_res_first, super_res_last (a step at 256 px); STORED, COMPUTED: bf16 or fp32
// Prints {"making": s}, then {"first": s} (packs the weights), then {"seconds": s} for each line "run" and a
// table of operators for a line "operators".
#include <ATen/Parallel.h>

#include <chrono>
#include <functional>
#include <iostream>

#include "bench/operator_table.h"
#include "unclip/base/runtime.h"
#include "unclip/decoder/decoder.h"
#include "unclip/prior/sample.h"
#include "unclip/upsampler/upsampler.h"

namespace {

using namespace unclip;
using torch::Tensor;

constexpr int64_t kContext = 77, kEmbedding = 768, kTextWidth = 768, kBaseSize = 64, kSize = 256;
constexpr int64_t kFirstCaption = 12, kEmptyCaption = 2;  // tokens with both ends

struct Settings {
  std::string component;
  torch::ScalarType stored, computed;
};

torch::ScalarType dtype_named(const std::string& name) {
  check(name == "bf16" || name == "fp32", ErrorKind::usage, "the dtype is ", name, ", expected bf16 or fp32");
  return name == "bf16" ? torch::kBFloat16 : torch::kFloat32;
}

/// Small random weights of the stored type, frozen.
void fill(torch::nn::Module& module, torch::ScalarType stored) {
  for (Tensor& parameter : module.parameters()) {
    parameter.set_data(torch::empty(parameter.sizes(), stored).uniform_(-0.03, 0.03));
  }
  nn::freeze_parameters(module);
}

nn::TextEncoding some_text(int64_t tokens) {
  return {.ids = torch::zeros({1, kContext}, torch::kLong),
          .mask = (torch::arange(kContext) < tokens).unsqueeze(0),
          .z_t = torch::randn({1, kEmbedding}),
          .hidden = torch::randn({1, kContext, kTextWidth})};
}

nn::UNetConfig karlo_unet(bool decoder) {
  nn::UNetConfig unet{.size = decoder ? kBaseSize : kSize,
                      .in_channels = decoder ? 3 : 6,
                      .out_channels = decoder ? 6 : 3,
                      .channels = 320,
                      .mid_attention = decoder,
                      .scale_shift = decoder,
                      .dropout = 0.0};
  if (decoder) unet.context_width = 1536;
  if (!decoder) unet.attention_resolutions = {};
  return unet;
}

/// One run of a component, the network inside.
std::function<void()> make_prior(const Settings& settings) {
  prior::DiffusionPriorConfig config{.embed_dim = kEmbedding,
                                     .transformer = {.width = 2048, .layers = 20, .heads = 32},
                                     .text_source = prior::PriorText::clip,
                                     .text_context = kContext,
                                     .text_width = kTextWidth,
                                     .scaling = prior::EmbeddingScaling::standardize,
                                     .error_table = false};
  config.diffusion.threshold = {.kind = diffusion::Threshold::clamp, .bound = 5.0};
  config.sampling = {.sampler = {.timesteps = "linspace25"}, .guidance = 4.0, .candidates = 1};
  prior::DiffusionPrior net(config);
  fill(*net, settings.stored);
  net->compute_dtype = settings.computed;
  const prior::PriorInput input{some_text(kFirstCaption), some_text(kEmptyCaption)};
  const NoiseSource noise = [](const Tensor& like, int64_t) { return torch::randn_like(like); };
  return [=]() mutable { prior::sample(net, input, config.sampling, {.noise = noise}); };
}

std::function<void()> make_decoder(const Settings& settings) {
  decoder::DecoderConfig config{.unet = karlo_unet(true),
                                .embed_dim = kEmbedding,
                                .unit_z_i = false,
                                .null_image = decoder::NullImage::learned};
  config.text = {.source = decoder::DecoderText::clip,
                 .context_length = kContext,
                 .clip_width = kTextWidth,
                 .add_z_t = true};
  decoder::Decoder net(config);
  fill(*net, settings.stored);
  net->set_compute_dtype(settings.computed);
  const nn::TextEncoding text = nn::concatenate_text(some_text(kFirstCaption), some_text(kEmptyCaption));
  const nn::UNetConditioning conditioning =
      net->condition({.z_i = torch::randn({2, kEmbedding}), .drop_image = {}, .text = text});
  const Tensor x = torch::randn({2, 3, kBaseSize, kBaseSize}), t = torch::full({2}, 500, torch::kLong);
  return [=]() mutable { net->forward(x, t, conditioning); };
}

std::function<void()> make_super_resolution(const Settings& settings) {
  upsampler::Upsampler net(upsampler::UpsamplerConfig{.unet = karlo_unet(false)});
  fill(*net, settings.stored);
  net->set_compute_dtype(settings.computed);
  const Tensor x = torch::randn({1, 3, kSize, kSize}), low = torch::randn({1, 3, kSize, kSize});
  const Tensor t = torch::full({1}, 500, torch::kLong);
  return [=]() mutable { net->forward(x, t, low); };
}

std::function<void()> make(const Settings& settings) {
  if (settings.component == "prior") return make_prior(settings);
  if (settings.component == "decoder") return make_decoder(settings);
  check(settings.component.starts_with("super_res_"), ErrorKind::usage, "the component is ",
        settings.component, ", expected prior, decoder, super_res_first or super_res_last");
  return make_super_resolution(settings);
}

void report(const char* what, const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  std::cout << "{\"" << what << "\": " << seconds.count() << "}" << std::endl;
}

int serve(const std::vector<std::string>& arguments) {
  check(arguments.size() == 4, ErrorKind::usage, "got ", arguments.size(),
        " arguments, expected COMPONENT STORED COMPUTED THREADS");
  const torch::NoGradGuard no_grad;
  set_up_compute(std::stol(arguments[3]));
  const Settings settings{arguments[0], dtype_named(arguments[1]), dtype_named(arguments[2])};
  std::function<void()> run;
  report("making", [&] { run = make(settings); });
  report("first", run);
  for (std::string line; std::getline(std::cin, line);) {
    line == "operators" ? bench::print_operator_table(run, std::cout) : report("seconds", run);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return serve({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
