// Seeded Gaussian noise as a pure function: the same bits whatever the batch size, thread count or call
// order.
#pragma once
#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace unclip {

/// Names one sequence of random numbers, for instance ("decoder", step 3) of the picture with seed 7.
struct NoiseKey {
  uint64_t seed = 0;
  uint64_t stream = 0;  // stream_id("decoder")
  uint64_t step = 0;
};

/// A stable 64-bit number for a name (FNV-1a).
constexpr uint64_t stream_id(std::string_view name) {
  uint64_t hash = 14695981039346656037ULL;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return hash;
}

/// N(0, 1) float32 of `shape`: Philox4x32-10 (Salmon et al. 2011) counters through Box–Muller.
torch::Tensor normal_noise(const NoiseKey& key, torch::IntArrayRef shape);
/// U[0, 1) float32 of `shape` from the same counters.
torch::Tensor uniform_noise(const NoiseKey& key, torch::IntArrayRef shape);
/// `count` numbers of 32 random bits.
std::vector<uint32_t> random_bits(const NoiseKey& key, size_t count);

/// What a sampler may ask for: noise shaped like `like` ([N, ...], row k belongs to picture k) for step
/// `step`; kInitialNoise asks for x_T.
using NoiseSource = std::function<torch::Tensor(const torch::Tensor& like, int64_t step)>;
inline constexpr int64_t kInitialNoise = -1;

/// Noise of one stage for a batch of pictures, each from its own seed (design: picture k has seed + k).
NoiseSource picture_noise(std::vector<uint64_t> seeds, std::string_view stage);
/// The same of U[0, 1).
NoiseSource picture_uniforms(std::vector<uint64_t> seeds, std::string_view stage);

}  // namespace unclip
