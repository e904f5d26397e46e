#include "unclip/prior/code_layers.h"

#include <numbers>

namespace unclip::prior {
namespace {

constexpr double kReadStd = 0.2;    // twice that of positions
constexpr double kWriteStd = 0.02;  // logits start near their bias

class CodeEmbedding final : public nn::EmbeddingImpl {
 public:
  using EmbeddingImpl::EmbeddingImpl;
  void initialize(const NoiseKey& /*key*/) override {
    weight.copy_(bucket_waves(weight.size(0), weight.size(1)) * kReadStd);
  }
};

class CodeOutput final : public nn::LinearImpl {
 public:
  CodeOutput(int64_t width, int64_t buckets, double range) : LinearImpl(width, buckets), range_(range) {}
  void initialize(const NoiseKey& /*key*/) override {
    const int64_t buckets = weight.size(0);
    weight.copy_(bucket_waves(buckets, weight.size(1)) * kWriteStd);
    const nn::Tensor middle = (torch::arange(buckets, torch::kFloat32) + 0.5) / static_cast<double>(buckets);
    bias.copy_(((middle * 2 - 1) * range_).square() * -0.5);
  }

 private:
  double range_;
};

}  // namespace

nn::Tensor bucket_waves(int64_t buckets, int64_t width) {
  const auto options = torch::dtype(torch::kFloat32);
  const int64_t waves = (width + 1) / 2;
  // Half waves over all buckets: 1 … buckets, in equal ratios.
  const nn::Tensor count =
      torch::logspace(0, std::log2(static_cast<double>(buckets)), waves, /*base=*/2.0, options);
  const nn::Tensor place = (torch::arange(buckets, options) + 0.5) / static_cast<double>(buckets);
  const nn::Tensor angle = place.outer(count) * std::numbers::pi;
  return torch::cat({angle.cos(), angle.sin()}, 1).slice(1, 0, width) * std::numbers::sqrt2;
}

nn::Embedding make_code_embedding(int64_t buckets, int64_t width) {
  return {std::make_shared<CodeEmbedding>(buckets, width)};
}

nn::Linear make_code_output(int64_t width, int64_t buckets, double range) {
  return {std::make_shared<CodeOutput>(width, buckets, range)};
}

}  // namespace unclip::prior
