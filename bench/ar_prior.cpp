// Seconds to draw embeddings from the autoregressive prior, with the key/value cache or by reading the whole
// sequence anew for every code; random weights, float32.
// Usage: bench_ar_prior CONFIG.json BATCH THREADS cached|whole  -> one JSON line
#include <chrono>
#include <fstream>
#include <iostream>

#include "unclip/base/runtime.h"
#include "unclip/diffusion/denoiser.h"
#include "unclip/prior/autoregressive_sample.h"
#include "unclip/train/ar_prior_stage.h"

namespace {

using namespace unclip;
using torch::Tensor;

constexpr int64_t kCaption = 32;  // text positions

std::string read_text(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

nn::TextEncoding some_text(const prior::AutoregressivePriorConfig& config, int64_t count) {
  return {.ids = torch::zeros({count, kCaption}, torch::kLong),
          .mask = torch::ones({count, kCaption}, torch::kBool),
          .z_t = torch::randn({count, config.embed_dim}),
          .hidden = torch::randn({count, kCaption, config.text_width})};
}

prior::AutoregressivePrior some_model(const prior::AutoregressivePriorConfig& config) {
  prior::AutoregressivePrior model(config);
  nn::initialize_parameters(*model, 1);
  prior::EmbeddingMoments moments(config.embed_dim);
  moments.add(torch::randn({4 * config.embed_dim, config.embed_dim}));
  model->fit(prior::principal_components(moments), torch::randn({4 * config.dot_product_bins}));
  model->eval();
  return model;
}

/// What prior::sample does, without a cache.
void draw_whole(prior::AutoregressivePrior& model,
                const prior::PriorInput& input,
                const prior::CodeSampling& sampling) {
  const int64_t count = input.text.size();
  const auto text = nn::concatenate_text(input.text, nn::repeat_text(input.null_text, count));
  const prior::CodePrompt prompt{text, torch::zeros({2 * count}, torch::kLong)};
  Tensor codes = torch::empty({2 * count, 0}, torch::kLong);
  for (int64_t k = 0; k < model->components(); ++k) {
    const auto halves = model->forward(prompt, codes).select(1, -1).chunk(2);
    const Tensor logits = diffusion::guided(halves[0], halves[1], sampling.guidance, model->config().buckets);
    const Tensor code = prior::draw_code(logits, sampling, torch::rand({count}));
    codes = torch::cat({codes, torch::cat({code, code}).unsqueeze(1)}, 1);
  }
}

int run(const std::vector<std::string>& arguments) {
  const torch::NoGradGuard no_grad;
  auto config = config_from_json<train::ArPriorRun>(read_text(arguments[0]), arguments[0]).model;
  config.components = config.max_components();
  const int64_t batch = std::stol(arguments[1]);
  set_up_compute(std::stol(arguments[2]));
  const bool cached = arguments[3] == "cached";
  prior::AutoregressivePrior model = some_model(config);
  const prior::PriorInput input{some_text(config, batch), some_text(config, 1)};
  const NoiseSource uniform = [](const Tensor& like, int64_t) { return torch::rand_like(like); };
  std::vector<double> seconds;
  for (int round = 0; round < 4; ++round) {  // the first warms up
    const auto start = std::chrono::steady_clock::now();
    if (cached) {
      prior::sample(model, input, config.sampling, {.uniform = uniform, .on_code = {}});
    } else {
      draw_whole(model, input, config.sampling);
    }
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(seconds.begin() + 1, seconds.end());
  std::cout << "{\"parameters\": " << nn::count_parameters(*model) << ", \"codes\": " << model->components()
            << ", \"seconds\": " << seconds[2] << "}\n";
  return 0;
}

}  // namespace

int main(int argc, char** argv) { return run({argv + 1, argv + argc}); }
