#include "unclip/eval/inception.h"

#include "unclip/base/error.h"
#include "unclip/io/state.h"
#include "unclip/io/weights.h"

namespace unclip::eval {
namespace {

using torch::Tensor;
using Branch = MixedImpl::Branch;
using Pooling = MixedImpl::Pooling;
using Shape = ConvUnitImpl::Shape;
using Unit = MixedImpl::Unit;

constexpr double kEpsilon = 1e-3;  // of the batch normalisation

constexpr Shape kOne{};
constexpr Shape kThree{3, 3, 1, 1, 1}, kFive{5, 5, 1, 2, 2};
constexpr Shape kThreeUnpadded{3, 3, 1, 0, 0}, kThreeStride2{3, 3, 2, 0, 0};
constexpr Shape kRow{1, 7, 1, 0, 3}, kColumn{7, 1, 1, 3, 0};
constexpr Shape kShortRow{1, 3, 1, 0, 1}, kShortColumn{3, 1, 1, 1, 0};

/// 35×35: Mixed_5b, 5c, 5d.
std::vector<Branch> block_a(int64_t pool_channels) {
  return {{.units = {{"branch1x1", 64, kOne}}, .forks = {}},
          {.units = {{"branch5x5_1", 48, kOne}, {"branch5x5_2", 64, kFive}}, .forks = {}},
          {.units = {{"branch3x3dbl_1", 64, kOne},
                     {"branch3x3dbl_2", 96, kThree},
                     {"branch3x3dbl_3", 96, kThree}},
           .forks = {}},
          {.pooling = Pooling::average, .units = {{"branch_pool", pool_channels, kOne}}, .forks = {}}};
}

/// To 17×17: Mixed_6a.
std::vector<Branch> block_b() {
  return {{.units = {{"branch3x3", 384, kThreeStride2}}, .forks = {}},
          {.units = {{"branch3x3dbl_1", 64, kOne},
                     {"branch3x3dbl_2", 96, kThree},
                     {"branch3x3dbl_3", 96, kThreeStride2}},
           .forks = {}},
          {.pooling = Pooling::maximum_stride_2, .units = {}, .forks = {}}};
}

/// 17×17: Mixed_6b to 6e.
std::vector<Branch> block_c(int64_t inner) {
  return {
      {.units = {{"branch1x1", 192, kOne}}, .forks = {}},
      {.units = {{"branch7x7_1", inner, kOne}, {"branch7x7_2", inner, kRow}, {"branch7x7_3", 192, kColumn}},
       .forks = {}},
      {.units = {{"branch7x7dbl_1", inner, kOne},
                 {"branch7x7dbl_2", inner, kColumn},
                 {"branch7x7dbl_3", inner, kRow},
                 {"branch7x7dbl_4", inner, kColumn},
                 {"branch7x7dbl_5", 192, kRow}},
       .forks = {}},
      {.pooling = Pooling::average, .units = {{"branch_pool", 192, kOne}}, .forks = {}}};
}

/// To 8×8: Mixed_7a.
std::vector<Branch> block_d() {
  return {{.units = {{"branch3x3_1", 192, kOne}, {"branch3x3_2", 320, kThreeStride2}}, .forks = {}},
          {.units = {{"branch7x7x3_1", 192, kOne},
                     {"branch7x7x3_2", 192, kRow},
                     {"branch7x7x3_3", 192, kColumn},
                     {"branch7x7x3_4", 192, kThreeStride2}},
           .forks = {}},
          {.pooling = Pooling::maximum_stride_2, .units = {}, .forks = {}}};
}

/// 8×8: Mixed_7b pools by averages, 7c by maxima: a slip of the network whose weights these are.
std::vector<Branch> block_e(Pooling pooling) {
  return {{.units = {{"branch1x1", 320, kOne}}, .forks = {}},
          {.units = {{"branch3x3_1", 384, kOne}},
           .forks = {{"branch3x3_2a", 384, kShortRow}, {"branch3x3_2b", 384, kShortColumn}}},
          {.units = {{"branch3x3dbl_1", 448, kOne}, {"branch3x3dbl_2", 384, kThree}},
           .forks = {{"branch3x3dbl_3a", 384, kShortRow}, {"branch3x3dbl_3b", 384, kShortColumn}}},
          {.pooling = pooling, .units = {{"branch_pool", 192, kOne}}, .forks = {}}};
}

Tensor max_pool_stride_2(const Tensor& x) { return at::max_pool2d(x, {3, 3}, {2, 2}); }

Tensor pool(const Tensor& x, Pooling pooling) {
  switch (pooling) {
    case Pooling::none:
      return x;
    // TensorFlow's averages leave the padding out of their count.
    case Pooling::average:
      return at::avg_pool2d(x, {3, 3}, {1, 1}, {1, 1}, false, false);
    case Pooling::maximum:
      return at::max_pool2d(x, {3, 3}, {1, 1}, {1, 1});
    case Pooling::maximum_stride_2:
      return max_pool_stride_2(x);
  }
  fail(ErrorKind::config, "a pooling has no meaning");
}

std::shared_ptr<torch::nn::Module> holder() { return std::make_shared<torch::nn::Module>(); }

}  // namespace

ConvUnitImpl::ConvUnitImpl(int64_t in, int64_t out, const Shape& shape)
    : shape_(shape), conv_(register_module("conv", holder())), norm_(register_module("bn", holder())) {
  conv_->register_parameter("weight", torch::empty({out, in, shape.height, shape.width}), false);
  for (const char* name : {"weight", "bias"}) norm_->register_parameter(name, torch::empty({out}), false);
  for (const char* name : {"running_mean", "running_var"}) norm_->register_buffer(name, torch::empty({out}));
}

void ConvUnitImpl::fold() {
  const auto parameters = norm_->named_parameters();
  const auto statistics = norm_->named_buffers();
  const Tensor scale = parameters["weight"] / (statistics["running_var"] + kEpsilon).sqrt();
  weight_ = (conv_->named_parameters()["weight"] * scale.reshape({-1, 1, 1, 1})).contiguous();
  bias_ = parameters["bias"] - statistics["running_mean"] * scale;
}

Tensor ConvUnitImpl::forward(const Tensor& x) {
  return at::conv2d(x, weight_, bias_, {shape_.stride, shape_.stride}, {shape_.pad_height, shape_.pad_width})
      .relu_();
}

MixedImpl::MixedImpl(int64_t in, const std::vector<Branch>& branches) {
  const auto build = [this](int64_t from, const Unit& unit) {
    return register_module(unit.name, ConvUnit(from, unit.channels, unit.shape));
  };
  for (const Branch& branch : branches) {
    Built built{branch.pooling, {}, {}};
    int64_t width = in;
    for (const Unit& unit : branch.units) {
      built.units.push_back(build(width, unit));
      width = unit.channels;
    }
    for (const Unit& unit : branch.forks) {
      built.forks.push_back(build(width, unit));
      channels_ += unit.channels;
    }
    if (branch.forks.empty()) channels_ += width;
    branches_.push_back(std::move(built));
  }
}

Tensor MixedImpl::forward(const Tensor& x) {
  std::vector<Tensor> parts;
  for (Built& branch : branches_) {
    Tensor h = pool(x, branch.pooling);
    for (ConvUnit& unit : branch.units) h = unit->forward(h);
    for (ConvUnit& unit : branch.forks) parts.push_back(unit->forward(h));
    if (branch.forks.empty()) parts.push_back(h);
  }
  return at::cat(parts, 1);
}

InceptionImpl::InceptionImpl() {
  const auto unit = [this](const char* name, int64_t in, int64_t out, const Shape& shape) {
    stem_.push_back(register_module(name, ConvUnit(in, out, shape)));
  };
  unit("Conv2d_1a_3x3", 3, 32, kThreeStride2);
  unit("Conv2d_2a_3x3", 32, 32, kThreeUnpadded);
  unit("Conv2d_2b_3x3", 32, 64, kThree);
  unit("Conv2d_3b_1x1", 64, 80, kOne);
  unit("Conv2d_4a_3x3", 80, 192, kThreeUnpadded);
  int64_t channels = 192;
  const auto mixed = [&](const char* name, const std::vector<Branch>& branches) {
    mixed_.push_back(register_module(name, Mixed(channels, branches)));
    channels = mixed_.back()->channels();
  };
  mixed("Mixed_5b", block_a(32));
  mixed("Mixed_5c", block_a(64));
  mixed("Mixed_5d", block_a(64));
  mixed("Mixed_6a", block_b());
  mixed("Mixed_6b", block_c(128));
  mixed("Mixed_6c", block_c(160));
  mixed("Mixed_6d", block_c(160));
  mixed("Mixed_6e", block_c(192));
  mixed("Mixed_7a", block_d());
  mixed("Mixed_7b", block_e(Pooling::average));
  mixed("Mixed_7c", block_e(Pooling::maximum));
}

void InceptionImpl::fold() {
  for (const auto& module : modules(false)) {
    if (auto* unit = module->as<ConvUnitImpl>()) unit->fold();
  }
}

std::vector<Tensor> InceptionImpl::block_means(const Tensor& pictures) {
  const torch::NoGradGuard no_grad;
  Tensor x = pictures.to(torch::kFloat32);
  if (x.size(2) != kInceptionSize || x.size(3) != kInceptionSize)
    x = at::upsample_bilinear2d(x, {kInceptionSize, kInceptionSize}, false);
  x = x.contiguous(at::MemoryFormat::ChannelsLast);
  const auto mean = [](const Tensor& h) { return h.mean({2, 3}); };
  std::vector<Tensor> result;
  for (size_t i = 0; i < stem_.size(); ++i) {
    x = stem_[i]->forward(x);
    if (i != 2 && i != 4) continue;
    x = max_pool_stride_2(x);
    result.push_back(mean(x));
  }
  constexpr size_t kLastOf6 = 7;
  for (size_t i = 0; i < mixed_.size(); ++i) {
    x = mixed_[i]->forward(x);
    if (i == kLastOf6) result.push_back(mean(x));
  }
  result.push_back(mean(x));
  return result;
}

Tensor InceptionImpl::forward(const Tensor& pictures) { return block_means(pictures).back(); }

bool is_inception(const std::filesystem::path& file) {
  return io::read_weights(file).contains("Conv2d_1a_3x3.conv.weight");
}

Inception load_inception(const std::filesystem::path& file) {
  io::NamedTensors tensors = io::read_weights(file);
  std::erase_if(tensors, [](const auto& item) {
    return item.first.starts_with("fc.") || item.first.ends_with(".num_batches_tracked");
  });
  Inception model;
  io::load_state(*model, tensors, file.string(), {.dtype = torch::kFloat32});
  model->fold();
  model->eval();
  return model;
}

}  // namespace unclip::eval
