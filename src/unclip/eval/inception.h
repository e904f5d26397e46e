// The Inception network of FID (Szegedy et al. 2015; Heusel et al. 2017) in the variant that published
// figures rest on: TensorFlow's weights of 2015-12-05 as pytorch-fid names them. It differs from
// torchvision's Inception v3 in its pooling.
#pragma once
#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace unclip::eval {

inline constexpr int64_t kInceptionSize = 299;
inline constexpr int64_t kInceptionWidth = 2048;

/// A convolution without bias, batch normalisation and ReLU; "conv" and "bn" in the file.
class ConvUnitImpl : public torch::nn::Module {
 public:
  struct Shape {
    int64_t height = 1, width = 1, stride = 1, pad_height = 0, pad_width = 0;
  };
  ConvUnitImpl(int64_t in, int64_t out, const Shape& shape);
  torch::Tensor forward(const torch::Tensor& x);
  /// Puts the normalisation into the convolution; to be called once the weights are there.
  void fold();

 private:
  Shape shape_;
  std::shared_ptr<torch::nn::Module> conv_, norm_;
  torch::Tensor weight_, bias_;  // after fold()
};
TORCH_MODULE(ConvUnit);

/// A "Mixed" block: branches side by side, joined along the channels.
class MixedImpl : public torch::nn::Module {
 public:
  enum class Pooling { none, average, maximum, maximum_stride_2 };
  struct Unit {
    std::string name;
    int64_t channels;
    ConvUnitImpl::Shape shape;
  };
  struct Branch {
    Pooling pooling = Pooling::none;  // before the first unit
    std::vector<Unit> units;          // one after another
    std::vector<Unit> forks;          // then these side by side
  };
  MixedImpl(int64_t in, const std::vector<Branch>& branches);
  torch::Tensor forward(const torch::Tensor& x);
  int64_t channels() const { return channels_; }

 private:
  struct Built {
    Pooling pooling;
    std::vector<ConvUnit> units, forks;
  };
  std::vector<Built> branches_;
  int64_t channels_ = 0;
};
TORCH_MODULE(Mixed);

class InceptionImpl : public torch::nn::Module {
 public:
  InceptionImpl();
  /// Pictures [N, 3, H, W] in −1…1 -> pool3 [N, 2048] float32. Other sizes than 299 are resized (bilinear, no
  /// antialiasing, as pytorch-fid does).
  torch::Tensor forward(const torch::Tensor& pictures);
  /// Means over positions after the first and second max pooling, after Mixed_6e and at the end: what
  /// pytorch-fid calls blocks 0 to 3.
  std::vector<torch::Tensor> block_means(const torch::Tensor& pictures);
  void fold();

 private:
  std::vector<ConvUnit> stem_;
  std::vector<Mixed> mixed_;
};
TORCH_MODULE(Inception);

/// Whether a file of weights has the names of pytorch-fid's Inception.
bool is_inception(const std::filesystem::path& file);

/// Reads pytorch-fid's state dict (its classifier is left out). Error(checkpoint) if the file holds another
/// network.
Inception load_inception(const std::filesystem::path& file);

}  // namespace unclip::eval
