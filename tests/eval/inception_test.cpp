// pytorch-fid's Inception with weights that both sides compute from the tensors' names.
#include "unclip/eval/inception.h"

#include <cmath>

#include "support/close.h"
#include "support/error_of.h"
#include "support/fixture.h"
#include "support/temporary_folder.h"
#include "unclip/base/noise.h"
#include "unclip/io/state.h"

namespace unclip::eval {
namespace {

using torch::Tensor;

/// SplitMix64's finaliser.
uint64_t mixed(uint64_t x) {
  x += 0x9E3779B97F4A7C15ULL;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

/// What tools/fixtures/cases/inception.py calls `formula`.
Tensor formula(const std::string& name, at::IntArrayRef shape) {
  Tensor result = torch::empty(shape, torch::kFloat64);
  auto* out = result.data_ptr<double>();
  for (int64_t i = 0; i < result.numel(); ++i) {
    const uint64_t bits = mixed(stream_id(name) + static_cast<uint64_t>(i)) >> 40;
    out[i] = static_cast<double>(bits) / (1 << 23) - 1;
  }
  if (name.ends_with("conv.weight")) {
    const auto fan_in = static_cast<double>(result.numel() / shape[0]);
    result *= std::sqrt(6 / fan_in);
  } else if (name.ends_with("running_var")) {
    result = 1 + result / 2;
  } else if (name.ends_with("bn.weight")) {
    result = 1 + result / 4;
  } else {
    result /= 8;
  }
  return result.to(torch::kFloat32);
}

io::NamedTensors formula_weights() {
  io::NamedTensors weights;
  for (const auto& [name, tensor] : io::state_of(*Inception())) weights[name] = formula(name, tensor.sizes());
  return weights;
}

class Parity : public ::testing::Test {
 protected:
  testing::Fixture fixture_{"eval/inception"};
};

TEST_F(Parity, OfEveryBlockWithPytorchFid) {
  const testing::TemporaryFolder folder;
  const auto file = folder / "inception.safetensors";
  io::NamedTensors weights = formula_weights();
  weights["fc.weight"] = torch::zeros({1008, 2048});  // as in the real file: to be left out
  weights["Conv2d_1a_3x3.bn.num_batches_tracked"] = torch::zeros({}, torch::kInt64);
  io::write_safetensors(file, weights);
  Inception model = load_inception(file);
  const Tensor pictures = fixture_["in.pictures"].to(torch::kFloat32) / 127.5 - 1;
  const std::vector<Tensor> means = model->block_means(pictures);
  ASSERT_EQ(means.size(), 4U);
  for (size_t block = 0; block < means.size(); ++block) {
    EXPECT_CLOSE(means[block], fixture_["out.block" + std::to_string(block)],
                 {.absolute = 1e-5, .relative = 1e-4})
        << "block " << block;
  }
  const Tensor pool3 = model->forward(pictures);
  EXPECT_TRUE(pool3.equal(means.back()));
  EXPECT_GT((pool3[0] - pool3[1]).abs().max().item<double>(), 0.1);  // pictures matter
}

TEST(Inception, RefusesAnotherNetwork) {
  const testing::TemporaryFolder folder;
  const auto file = folder / "other.safetensors";
  io::write_safetensors(file, {{"layer.weight", torch::zeros({2, 2})}});
  const std::string message = testing::error_of(ErrorKind::checkpoint, [&] { load_inception(file); });
  EXPECT_NE(message.find("other.safetensors"), std::string::npos) << message;
  EXPECT_NE(message.find("Conv2d_1a_3x3.bn.bias"), std::string::npos) << message;
}

}  // namespace
}  // namespace unclip::eval
