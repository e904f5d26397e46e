#include "unclip/train/ar_prior_stage.h"

#include <numbers>

#include "unclip/prior/autoregressive_sample.h"
#include "unclip/prior/dot_product_token.h"
#include "unclip/train/held_out.h"
#include "unclip/train/step_random.h"

namespace unclip::train {
namespace {

constexpr int64_t kMaxFitPictures = 16'000'000;  // what torch::sort and memory take easily

}  // namespace

ArPriorStage::ArPriorStage(const ArPriorRun& run,
                           pipeline::ClipEncoder clip,
                           std::shared_ptr<const data::Dataset> validation)
    : run_(run), model_(run.model), clip_(std::move(clip)), validation_(std::move(validation)) {
  const clip::ClipConfig& clips = clip_.text_config();
  check_is_clips("ar_prior: embed_dim", run.model.embed_dim, clips.embed_dim);
  if (run.model.text_source == prior::PriorText::clip)
    check_is_clips("ar_prior: text_width", run.model.text_width, clips.text.width);
  check(run.fit_pictures > 1 && run.fit_pictures <= kMaxFitPictures, ErrorKind::config,
        "ar_prior: fit_pictures is ", run.fit_pictures, ", expected 2 to ", kMaxFitPictures);
  nn::initialize_parameters(*model_, static_cast<uint64_t>(run.train.seed));
  model_->compute_dtype = compute_type(run.train.precision);
}

void ArPriorStage::prepare(data::Loader& loader) {
  prior::EmbeddingMoments moments(run_.model.embed_dim);
  std::vector<torch::Tensor> dot_products;
  while (moments.count() < run_.fit_pictures) {
    const data::Batch batch = loader.next();
    const torch::Tensor z_i = clip_.encode_image(to_unit_range(batch.pictures));
    moments.add(model_->prepared(z_i));
    dot_products.push_back(prior::dot_product(z_i, clip_.encode_text(batch.captions).z_t));
  }
  model_->fit(prior::principal_components(moments), torch::cat(dot_products));
}

torch::Tensor ArPriorStage::code_nats(const torch::Tensor& z_i,
                                      const nn::TextEncoding& text,
                                      const torch::Tensor& drop) {
  const torch::Tensor codes = model_->encode(z_i);
  const torch::Tensor dot_product =
      model_->dot_product_of(z_i, text.z_t).masked_fill(drop, model_->null_dot_product());
  const prior::CodePrompt prompt{nn::drop_text(text, clip_.null_text(), drop), dot_product};
  const torch::Tensor logits = model_->forward(prompt, codes.slice(1, 0, codes.size(1) - 1));
  return at::cross_entropy_loss(logits.flatten(0, 1), codes.flatten());
}

StepLoss ArPriorStage::loss(const data::Batch& batch, const NoiseKey& key) {
  const torch::Tensor z_i = clip_.encode_image(to_unit_range(batch.pictures));
  const torch::Tensor drop = drop_mask(z_i.size(0), run_.model.text_drop, sub_key(key, "drop text"));
  const torch::Tensor nats = code_nats(z_i, clip_.encode_text(batch.captions), drop);
  return {nats, {{"bits_per_code", nats.item<double>() / std::numbers::ln2}}};
}

Metrics ArPriorStage::evaluate(const std::filesystem::path& sheet) {
  if (!validation_) return {};
  const HeldOutPairs pairs(*validation_, clip_);
  Metrics metrics = measure_likelihood(pairs);
  const auto draw = [&](const prior::PriorInput& input) {
    const auto seeds = first_seeds(input.text.size() * run_.model.sampling.candidates);
    return prior::sample(model_, input, run_.model.sampling,
                         {.uniform = picture_uniforms(seeds, "ar_prior"), .on_code = {}});
  };
  for (auto& figure : pairs.judge(draw, sheet)) metrics.push_back(std::move(figure));
  return metrics;
}

Metrics ArPriorStage::measure_likelihood(const HeldOutPairs& pairs) {
  const int64_t rows = pairs.z_i().size(0);
  const nn::TextEncoding text = clip_.encode_text(pairs.captions());
  const auto mean_nats = [&](bool without_captions) {
    double sum = 0.0;
    for (int64_t first = 0; first < rows; first += kEvaluationBatch) {
      const int64_t last = std::min(first + kEvaluationBatch, rows);
      const torch::Tensor drop = torch::full({last - first}, without_captions, torch::kBool);
      const torch::Tensor nats =
          code_nats(pairs.z_i().slice(0, first, last), nn::slice_text(text, first, last), drop);
      sum += nats.item<double>() * static_cast<double>(last - first);
    }
    return sum / static_cast<double>(rows);
  };
  const double nats = mean_nats(false);
  const torch::Tensor z = model_->prepared(pairs.z_i()), rebuilt = model_->decode(model_->encode(z));
  const torch::Tensor error = (rebuilt - z).square().sum() / (z - z.mean(0)).square().sum();
  return {{"validation_nats", nats},
          {"validation_bits", nats / std::numbers::ln2},
          {"validation_bits_without_captions", mean_nats(true) / std::numbers::ln2},
          {"components", static_cast<double>(model_->components())},
          {"code_error", error.item<double>()}};
}

}  // namespace unclip::train
