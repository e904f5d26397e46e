#include "unclip/prior/autoregressive_sample.h"

#include "unclip/diffusion/denoiser.h"
#include "unclip/prior/candidates.h"
#include "unclip/prior/dot_product_token.h"

namespace unclip::prior {
namespace {

/// Probabilities [N, buckets] outside of the smallest set of at least `top_p` become 0 (Holtzman et al.
/// 2020).
Tensor nucleus(const Tensor& probabilities, double top_p) {
  const auto [sorted, order] = probabilities.sort(/*stable=*/true, /*dim=*/1, /*descending=*/true);
  const Tensor before = sorted.cumsum(1) - sorted;
  return torch::zeros_like(probabilities).scatter(1, order, sorted.masked_fill(before >= top_p, 0.0));
}

/// The prompt, and behind it the same without captions.
CodePrompt with_null(const CodePrompt& prompt, const nn::TextEncoding& null_text, int64_t null_dot_product) {
  const Tensor null = torch::full_like(prompt.dot_product, null_dot_product);
  return {.text = nn::concatenate_text(prompt.text, nn::repeat_text(null_text, prompt.text.size())),
          .dot_product = torch::cat({prompt.dot_product, null})};
}

/// The codes [N, K] behind a prompt.
Tensor draw_codes(AutoregressivePrior& model,
                  const CodePrompt& prompt,
                  const PriorInput& input,
                  const CodeSampling& sampling,
                  const CodeHooks& hooks) {
  const bool guided = sampling.guidance != 1.0;
  CodeCache cache;
  Tensor logits =
      model->begin(guided ? with_null(prompt, input.null_text, model->null_dot_product()) : prompt, cache);
  std::vector<Tensor> codes;
  for (int64_t k = 0, length = model->components(); k < length; ++k) {
    if (guided) {
      const auto halves = logits.chunk(2);
      logits = diffusion::guided(halves[0], halves[1], sampling.guidance, logits.size(1));
    }
    codes.push_back(draw_code(logits, sampling, hooks.uniform(logits.select(1, 0), k)));
    if (hooks.on_code) hooks.on_code();
    if (k + 1 < length)
      logits = model->next(guided ? torch::cat({codes.back(), codes.back()}) : codes.back(), cache);
  }
  return torch::stack(codes, 1);
}

}  // namespace

Tensor draw_code(const Tensor& logits, const CodeSampling& sampling, const Tensor& u) {
  Tensor p = (logits.to(torch::kFloat64) / sampling.temperature).softmax(1);
  if (sampling.top_p < 1) p = nucleus(p, sampling.top_p);
  const Tensor below = p.cumsum(1);
  const Tensor target = u.to(torch::kFloat64).unsqueeze(1) * below.slice(1, -1);
  return (below <= target).sum(1).clamp_max(logits.size(1) - 1);
}

Tensor sample(AutoregressivePrior& model,
              const PriorInput& input,
              const CodeSampling& sampling,
              const CodeHooks& hooks) {
  sampling.validate();
  check(model->components() > 0, ErrorKind::checkpoint,
        "ar_prior: the model holds no principal components: it was never trained");
  const torch::NoGradGuard no_grad;
  const int64_t count = input.text.size();
  const Tensor like = torch::empty({count * sampling.candidates}, torch::kFloat32);
  const Tensor dot_product = draw_dot_product_token(
      hooks.uniform(like, kInitialNoise), model->config().dot_product_bins, sampling.dot_product_percentile);
  const CodePrompt prompt{nn::repeat_text(input.text, sampling.candidates), dot_product};
  const Tensor z_i = model->decode(draw_codes(model, prompt, input, sampling, hooks));
  return best_by_dot_product(z_i.view({count, sampling.candidates, -1}), input.text.z_t);
}

}  // namespace unclip::prior
