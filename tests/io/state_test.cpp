#include "unclip/io/state.h"

#include <gmock/gmock.h>

#include "support/error_of.h"
#include "support/temporary_folder.h"

namespace unclip::io {
namespace {

using ::testing::AllOf;
using testing::error_of;
using ::testing::HasSubstr;
using testing::TemporaryFolder;

struct LeafImpl : torch::nn::Module {
  explicit LeafImpl(int64_t width, torch::Device device = torch::kCPU) {
    weight = register_parameter("weight", torch::zeros({width, 2}, device));
    bias = register_parameter("bias", torch::zeros({width}));
    count = register_buffer("count", torch::zeros({}, torch::kInt64));
  }
  torch::Tensor weight, bias, count;
};
TORCH_MODULE(Leaf);

struct TreeImpl : torch::nn::Module {
  explicit TreeImpl(int64_t width) {
    first = register_module("first", Leaf(width));
    second = register_module("second", Leaf(width));
  }
  Leaf first{nullptr}, second{nullptr};
};
TORCH_MODULE(Tree);

NamedTensors values(int64_t width) {
  NamedTensors state;
  for (const char* leaf : {"first", "second"}) {
    state[std::string(leaf) + ".weight"] = torch::rand({width, 2});
    state[std::string(leaf) + ".bias"] = torch::rand({width});
    state[std::string(leaf) + ".count"] = torch::tensor(int64_t{3});
  }
  return state;
}

TEST(State, SavesAndLoads) {
  const TemporaryFolder folder;
  Tree model(3), other(3);
  load_state(*model, values(3), "values");
  save_state(*model, folder / "x", {.metadata = {{"step", "7"}}});
  const SafetensorsFile file(folder / "x");
  load_state(*other, file.tensors(), "x");
  EXPECT_TRUE(torch::equal(other->second->weight, model->second->weight));
  EXPECT_EQ(other->first->count.item<int64_t>(), 3);
  EXPECT_EQ(file.metadata().at("step"), "7");
}

TEST(State, LeavesValuesOnTheMappedFile) {
  const TemporaryFolder folder;
  Tree model(3);
  save_state(*model, folder / "x", {.dtype = torch::kBFloat16});
  const NamedTensors source = SafetensorsFile(folder / "x").tensors();
  load_state(*model, source, "x");
  EXPECT_EQ(model->first->weight.scalar_type(), torch::kBFloat16);
  EXPECT_EQ(model->first->weight.data_ptr(), source.at("first.weight").data_ptr());
  EXPECT_EQ(model->first->count.scalar_type(), torch::kInt64);
  EXPECT_TRUE(model->first->weight.requires_grad());
  load_state(*model, source, "x", {.dtype = torch::kFloat32});
  EXPECT_EQ(model->first->weight.scalar_type(), torch::kFloat32);
}

TEST(State, TrainsAfterLoading) {
  Tree model(3);
  load_state(*model, values(3), "values");
  model->first->weight.square().sum().backward();
  EXPECT_TRUE(torch::allclose(model->first->weight.grad(), 2 * model->first->weight));
}

TEST(State, ReportsEverythingThatDoesNotFitInOneSentence) {
  Tree model(3);
  NamedTensors source = values(3);
  source.erase("first.bias");
  source["stray"] = torch::zeros({1});
  source["second.weight"] = torch::zeros({3, 5});
  source["second.count"] = torch::tensor(1.5);
  const std::string message =
      error_of(ErrorKind::checkpoint, [&] { load_state(*model, source, "x.safetensors"); });
  EXPECT_THAT(
      message,
      AllOf(HasSubstr("x.safetensors does not fit the model: missing 'first.bias'; unexpected 'stray'"),
            HasSubstr("'second.count' has type Float, expected Long (and 1 more such)")));
  EXPECT_EQ(model->first->weight.abs().sum().item<float>(), 0);  // nothing was half loaded
  source.clear();
  EXPECT_THAT(error_of(ErrorKind::checkpoint, [&] { load_state(*model, source, "x"); }),
              HasSubstr("missing 'first.bias', 'first.count', 'first.weight' and 3 more"));
}

TEST(State, WantsAModelOnTheCpu) {
  Leaf model(3, torch::kMeta);
  const NamedTensors source{
      {"weight", torch::zeros({3, 2})}, {"bias", torch::zeros({3})}, {"count", torch::tensor(int64_t{1})}};
  EXPECT_THAT(error_of(ErrorKind::config, [&] { load_state(*model, source, "x"); }), HasSubstr("meta"));
}

}  // namespace
}  // namespace unclip::io
