// The autoregressive prior P(z_i | y) of unCLIP §2.2: a causal transformer over
//   [z_t, z_i·z_t, code_1, …, code_K]
// that predicts each code of z_i (embedding_code.h) from those in front of it. The caption does not fit into
// these positions (256 tokens and 319 codes against the paper's 384): its encoding is attended by every layer
// as further keys and values, as in GLIDE's attention.
#pragma once
#include "unclip/prior/autoregressive_config.h"
#include "unclip/prior/embedding_code.h"
#include "unclip/prior/embedding_pca.h"

namespace unclip::prior {

using nn::Tensor;

/// What N embeddings are written from.
struct CodePrompt {
  nn::TextEncoding text;
  Tensor dot_product;  // int64 [N]: bins of z_i·z_t, null_dot_product() where the caption is dropped
};

/// Keys and values of everything that was read so far.
struct CodeCache {
  nn::KeyValueCache keys;
  Tensor mask;            // bool [N, L + positions], which of them may be attended
  int64_t positions = 0;  // behind the caption's L
};

class AutoregressivePriorImpl : public nn::Layer {
 public:
  explicit AutoregressivePriorImpl(const AutoregressivePriorConfig& config);

  /// codes [N, J] -> logits [N, J + 1, buckets] float32: row j is of code j, given the codes before it. All
  /// at once (training).
  Tensor forward(const CodePrompt& prompt, const Tensor& codes);
  /// The same one by one: logits [N, buckets] of the first code, and of the one behind `code` [N].
  Tensor begin(const CodePrompt& prompt, CodeCache& cache);
  Tensor next(const Tensor& code, CodeCache& cache);

  /// Stores principal components and the training distribution of z_i·z_t [M]. Error(config) if the context
  /// has no room for the components that reconstruction_error needs.
  void fit(const PrincipalComponents& pca, const Tensor& dot_products);
  int64_t components() const;  // K, 0 before fit
  Tensor encode(const Tensor& z_i) const { return code().encode(prepared(z_i)); }
  Tensor decode(const Tensor& codes) const { return code().decode(codes); }
  /// z_i as it is encoded: of length 1, or as CLIP gives it.
  Tensor prepared(const Tensor& z_i) const;
  /// Bins [N] of z_i·z_t.
  Tensor dot_product_of(const Tensor& z_i, const Tensor& z_t) const;
  int64_t null_dot_product() const { return config_.dot_product_bins; }

  void initialize(const NoiseKey& key) override;
  const AutoregressivePriorConfig& config() const { return config_; }

  torch::ScalarType compute_dtype = torch::kFloat32;
  nn::TextEncoder text_encoder{nullptr};  // text_source tokens
  nn::BlockList<nn::Linear> text_kv;      // per layer: the caption's keys, then values
  nn::Linear z_t_proj;
  nn::Embedding dot_product_embedding;  // [bins + 1, width]
  nn::Embedding code_embedding;         // [buckets, width], of all components
  Tensor positional_embedding;          // [context, width]
  nn::Transformer transformer;
  nn::LayerNorm ln_out;
  nn::Linear out;
  nn::Stats stats;  // mean [D], basis [max_components, D] (rows behind the kept ones are 0), eigenvalues [D],
                    // components [1], dot_product_edges [bins − 1]

 private:
  EmbeddingCode code() const;
  CodeCache read_caption(const nn::TextEncoding& text);
  Tensor prefix(const CodePrompt& prompt);                   // [N, 2, width]
  Tensor written_at(const Tensor& codes, int64_t position);  // [N, J] -> [N, J, width]
  Tensor read(const Tensor& x, CodeCache& cache);
  AutoregressivePriorConfig config_;
};
TORCH_MODULE(AutoregressivePrior);

}  // namespace unclip::prior
