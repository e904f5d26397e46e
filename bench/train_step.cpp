// Pictures per second of one decoder training step (forward, backward, AdamW with EMA) on random data.
// Usage: bench_train_step CONFIG.json BATCH STEPS THREADS  -> one JSON line
#include <chrono>
#include <fstream>
#include <iostream>

#include "unclip/base/runtime.h"
#include "unclip/decoder/decoder.h"
#include "unclip/train/optimizer.h"

namespace {

std::string read_text(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

int run(const std::vector<std::string>& arguments) {
  using namespace unclip;
  const auto config = config_from_json<decoder::DecoderConfig>(read_text(arguments[0]), arguments[0]);
  const int64_t batch = std::stol(arguments[1]), steps = std::stol(arguments[2]);
  set_up_compute(std::stol(arguments[3]));
  decoder::Decoder model(config);
  nn::initialize_parameters(*model, 1);
  model->set_compute_dtype(torch::kBFloat16);
  model->train();
  std::vector<std::pair<std::string, torch::Tensor>> parameters;
  for (const auto& item : model->named_parameters()) parameters.emplace_back(item.key(), item.value());
  train::Optimizer optimizer(parameters, {});
  const torch::Tensor x = torch::randn({batch, config.unet.in_channels, config.unet.size, config.unet.size});
  const torch::Tensor target =
      torch::randn({batch, config.unet.out_channels, config.unet.size, config.unet.size});
  const torch::Tensor t = torch::randint(1000, {batch}), z_i = torch::randn({batch, config.embed_dim});
  std::vector<double> seconds;
  for (int64_t step = 0; step < steps; ++step) {
    const auto start = std::chrono::steady_clock::now();
    const auto conditioning = model->condition({.z_i = z_i, .drop_image = {}, .text = {}});
    const torch::Tensor loss = at::mse_loss(model->forward(x, t, conditioning), target);
    const auto middle = std::chrono::steady_clock::now();
    loss.backward();
    const auto end = std::chrono::steady_clock::now();
    optimizer.step(1e-4);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    seconds.push_back(took.count());
    std::cerr << "step " << step << ": forward " << std::chrono::duration<double>(middle - start).count()
              << " backward " << std::chrono::duration<double>(end - middle).count() << " all "
              << took.count() << "\n";
  }
  std::nth_element(seconds.begin(), seconds.begin() + steps / 2, seconds.end());
  const double median = seconds[static_cast<size_t>(steps / 2)];
  std::cout << "{\"parameters\": " << nn::count_parameters(*model) << ", \"seconds\": " << median
            << ", \"pictures_per_second\": " << static_cast<double>(batch) / median << "}\n";
  return 0;
}

}  // namespace

int main(int argc, char** argv) { return run({argv + 1, argv + argc}); }
