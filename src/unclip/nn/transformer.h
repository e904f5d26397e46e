// The pre-norm transformer that CLIP's towers, the priors and the decoder's text encoder share.
#pragma once
#include <array>

#include "unclip/base/config.h"
#include "unclip/nn/attention.h"

namespace unclip::nn {

enum class Activation { gelu, quick_gelu };

/// GELU (exact, erf) or CLIP's x·σ(1.702 x).
Tensor activate(const Tensor& x, Activation activation);

struct TransformerConfig {
  int64_t width = 512;
  int64_t layers = 12;
  int64_t heads = 8;
  Activation activation = Activation::gelu;
  double mlp_ratio = 4.0;
  double norm_eps = 1e-5;

  static void fields(auto& self, auto&& field) {
    field("width", self.width, "width of the residual stream");
    field("layers", self.layers, "number of blocks");
    field("heads", self.heads, "attention heads; must divide width");
    field("activation", self.activation, "gelu or quick_gelu");
    field("mlp_ratio", self.mlp_ratio, "hidden width of the MLP over width");
    field("norm_eps", self.norm_eps, "added to the variance by every LayerNorm");
  }
  void validate(const std::string& where) const;
};

/// One KeyValue per block.
using KeyValueCache = std::vector<KeyValue>;

struct TransformerContext {
  std::optional<Tensor> mask = std::nullopt;  // bool, true = may attend, [N or 1, 1, Lq, Lpast + Lq]
  const KeyValueCache* past = nullptr;
  KeyValueCache* present = nullptr;
};

class MlpImpl : public torch::nn::Module {
 public:
  explicit MlpImpl(const TransformerConfig& config);
  Tensor forward(const Tensor& x) { return proj(activate(fc(x), activation_)); }
  Linear fc, proj;

 private:
  Activation activation_;
};
TORCH_MODULE(Mlp);

class BlockImpl : public torch::nn::Module {
 public:
  explicit BlockImpl(const TransformerConfig& config);
  Tensor forward(Tensor x, const AttentionContext& context);  // [N, L, width]
  LayerNorm ln_1;
  SelfAttention attn;
  LayerNorm ln_2;
  Mlp mlp;
};
TORCH_MODULE(Block);

class TransformerImpl : public torch::nn::Module {
 public:
  explicit TransformerImpl(const TransformerConfig& config);
  Tensor forward(Tensor x, const TransformerContext& context = {});  // [N, L, width]
  BlockList<Block> blocks;
};
TORCH_MODULE(Transformer);

/// bool [1, 1, L, L], true on and below the diagonal.
Tensor causal_mask(int64_t length, torch::Device device);

}  // namespace unclip::nn

template <>
struct unclip::EnumNames<unclip::nn::Activation> {
  static constexpr std::array<std::pair<nn::Activation, std::string_view>, 2> value{
      {{nn::Activation::gelu, "gelu"}, {nn::Activation::quick_gelu, "quick_gelu"}}};
};
