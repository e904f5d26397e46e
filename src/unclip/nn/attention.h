// Multi-head attention: the product itself and the self-attention layer of the transformers.
#pragma once
#include <optional>

#include "unclip/nn/layers.h"

namespace unclip::nn {

/// softmax(q kᵀ / √d + mask) v (Vaswani et al. 2017, Eq. 1).
/// q [N, H, Lq, d], k and v [N, H, Lk, d]; mask: bool, true = may attend, broadcastable to [N, H, Lq, Lk].
Tensor attention(const Tensor& q,
                 const Tensor& k,
                 const Tensor& v,
                 const std::optional<Tensor>& mask = std::nullopt);

/// Keys and values of positions that are already computed, [N, H, L, d] each.
struct KeyValue {
  Tensor k, v;
};

/// What an attention layer may look at besides its input.
struct AttentionContext {
  std::optional<Tensor> mask = std::nullopt;  // over [past, current] keys
  const KeyValue* past = nullptr;             // keys and values in front of the current ones
  KeyValue* present = nullptr;                // receives [past, current]
};

class SelfAttentionImpl : public torch::nn::Module {
 public:
  SelfAttentionImpl(int64_t width, int64_t heads, Init qkv_init = {}, Init out_init = {});
  Tensor forward(const Tensor& x, const AttentionContext& context);  // [N, L, width]
  Linear qkv;                                                        // rows: q, k, v
  Linear out;

 private:
  int64_t heads_;
};
TORCH_MODULE(SelfAttention);

/// [N, L, H·d] -> [N, H, L, d] and back.
Tensor split_heads(const Tensor& x, int64_t heads);
Tensor merge_heads(const Tensor& x);

}  // namespace unclip::nn
