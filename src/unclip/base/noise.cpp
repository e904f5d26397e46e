#include "unclip/base/noise.h"

#include <ATen/Parallel.h>

#include <array>
#include <cmath>
#include <numbers>

#include "unclip/base/error.h"

namespace unclip {
namespace {

using Block = std::array<uint32_t, 4>;

// SplitMix64 finaliser: spreads a structured key over all bits.
uint64_t mix(uint64_t x) {
  x += 0x9E3779B97F4A7C15ULL;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

Block philox(uint64_t key, uint64_t stream, uint64_t counter) {
  Block x{static_cast<uint32_t>(counter), static_cast<uint32_t>(counter >> 32), static_cast<uint32_t>(stream),
          static_cast<uint32_t>(stream >> 32)};
  auto k0 = static_cast<uint32_t>(key);
  auto k1 = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = uint64_t{0xD2511F53} * x[0];
    const uint64_t product1 = uint64_t{0xCD9E8D57} * x[2];
    x = {static_cast<uint32_t>(product1 >> 32) ^ x[1] ^ k0, static_cast<uint32_t>(product1),
         static_cast<uint32_t>(product0 >> 32) ^ x[3] ^ k1, static_cast<uint32_t>(product0)};
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return x;
}

struct Stream {
  explicit Stream(const NoiseKey& key) : id(mix(key.stream ^ mix(key.step))), seed(mix(key.seed)) {}
  Block block(int64_t index) const { return philox(seed, id, static_cast<uint64_t>(index)); }
  uint64_t id, seed;
};

/// Fills `count` floats, four per Philox block, in parallel: element i depends on i alone.
template <class Transform>
torch::Tensor fill(const NoiseKey& key, torch::IntArrayRef shape, const Transform& transform) {
  torch::Tensor result = torch::empty(shape, torch::kFloat32);
  auto* out = result.data_ptr<float>();
  const int64_t count = result.numel();
  const Stream stream(key);
  at::parallel_for(0, (count + 3) / 4, 4096, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      const std::array<float, 4> values = transform(stream.block(b));
      std::copy_n(values.begin(), std::min<int64_t>(4, count - 4 * b), out + 4 * b);
    }
  });
  return result;
}

std::array<float, 4> box_muller(const Block& bits) {
  std::array<float, 4> result{};
  for (size_t pair = 0; pair < 4; pair += 2) {
    const double u1 = (bits[pair] + 0.5) * 0x1p-32;
    const double angle = 2.0 * std::numbers::pi * bits[pair + 1] * 0x1p-32;
    const double radius = std::sqrt(-2.0 * std::log(u1));
    result[pair] = static_cast<float>(radius * std::cos(angle));
    result[pair + 1] = static_cast<float>(radius * std::sin(angle));
  }
  return result;
}

std::array<float, 4> to_unit(const Block& bits) {
  std::array<float, 4> result{};
  for (size_t i = 0; i < 4; ++i) result[i] = static_cast<float>(bits[i] >> 8) * 0x1p-24F;
  return result;
}

using Distribution = torch::Tensor (*)(const NoiseKey&, torch::IntArrayRef);

NoiseSource per_picture(Distribution draw, std::vector<uint64_t> seeds, std::string_view stage) {
  return
      [draw, seeds = std::move(seeds), stream = stream_id(stage)](const torch::Tensor& like, int64_t step) {
        check(like.size(0) == static_cast<int64_t>(seeds.size()), ErrorKind::shape, "noise was asked for ",
              like.size(0), " pictures but ", seeds.size(), " seeds are given");
        std::vector<torch::Tensor> rows;
        rows.reserve(seeds.size());
        for (const uint64_t seed : seeds) {
          rows.push_back(draw({seed, stream, static_cast<uint64_t>(step)}, like.sizes().slice(1)));
        }
        return torch::stack(rows).to(like.options());
      };
}

}  // namespace

torch::Tensor normal_noise(const NoiseKey& key, torch::IntArrayRef shape) {
  return fill(key, shape, box_muller);
}

torch::Tensor uniform_noise(const NoiseKey& key, torch::IntArrayRef shape) {
  return fill(key, shape, to_unit);
}

std::vector<uint32_t> random_bits(const NoiseKey& key, size_t count) {
  const Stream stream(key);
  std::vector<uint32_t> bits(count);
  for (size_t i = 0; i < count; ++i) bits[i] = stream.block(static_cast<int64_t>(i / 4))[i % 4];
  return bits;
}

NoiseSource picture_noise(std::vector<uint64_t> seeds, std::string_view stage) {
  return per_picture(normal_noise, std::move(seeds), stage);
}

NoiseSource picture_uniforms(std::vector<uint64_t> seeds, std::string_view stage) {
  return per_picture(uniform_noise, std::move(seeds), stage);
}

}  // namespace unclip
