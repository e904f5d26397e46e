#include "unclip/train/prior_stage.h"

#include "unclip/diffusion/samplers/analytic_dpm.h"
#include "unclip/prior/embedding_pca.h"
#include "unclip/prior/sample.h"

namespace unclip::train {
namespace {

constexpr int64_t kStatisticsBatches = 40;
constexpr int64_t kTimestepsMeasured = 50;  // of the x_0_mse table; the rest by interpolation

}  // namespace

PriorStage::PriorStage(const PriorRun& run,
                       pipeline::ClipEncoder clip,
                       std::shared_ptr<const data::Dataset> validation)
    : run_(run),
      model_(run.model),
      clip_(std::move(clip)),
      validation_(std::move(validation)),
      diffusion_loss_(run.model.diffusion, run.loss) {
  const clip::ClipConfig& clips = clip_.text_config();
  check_is_clips("prior: embed_dim", run.model.embed_dim, clips.embed_dim);
  if (run.model.text_source == prior::PriorText::clip)
    check_is_clips("prior: text_width", run.model.text_width, clips.text.width);
  nn::initialize_parameters(*model_, static_cast<uint64_t>(run.train.seed));
  model_->compute_dtype = compute_type(run.train.precision);
}

void PriorStage::prepare(data::Loader& loader) {
  if (run_.model.scaling != prior::EmbeddingScaling::standardize) return;
  prior::EmbeddingMoments moments(run_.model.embed_dim);
  for (int64_t i = 0; i < kStatisticsBatches; ++i)
    moments.add(clip_.encode_image(to_unit_range(loader.next().pictures)));
  model_->stats->get("mean").copy_(moments.mean());
  model_->stats->get("std").copy_(moments.covariance().diagonal().sqrt());
}

StepLoss PriorStage::loss(const data::Batch& batch, const NoiseKey& key) {
  const torch::Tensor x_0 = model_->scale(clip_.encode_image(to_unit_range(batch.pictures)));
  const torch::Tensor drop = drop_mask(x_0.size(0), run_.model.text_drop, sub_key(key, "drop text"));
  const nn::TextEncoding text = nn::drop_text(clip_.encode_text(batch.captions), clip_.null_text(), drop);
  const auto noised = noise_batch(diffusion_loss_.schedule(), x_0, key);
  return mean_loss(diffusion_loss_(noised, model_->forward(noised.x_t, noised.t, text)));
}

Metrics PriorStage::evaluate(const std::filesystem::path& sheet) {
  if (!validation_) return {};
  const HeldOutPairs pairs(*validation_, clip_);
  Metrics metrics = measure_errors(pairs);
  const auto draw = [&](const prior::PriorInput& input) {
    const auto seeds = first_seeds(input.text.size() * run_.model.sampling.candidates);
    return prior::sample(model_, input, run_.model.sampling,
                         {.noise = picture_noise(seeds, "prior"), .observer = {}});
  };
  for (auto& figure : pairs.judge(draw, sheet)) metrics.push_back(std::move(figure));
  return metrics;
}

Metrics PriorStage::measure_errors(const HeldOutPairs& pairs) {
  const torch::Tensor x_0 = model_->scale(pairs.z_i());
  const int64_t rows = x_0.size(0);
  const nn::TextEncoding text = clip_.encode_text(pairs.captions());
  const auto& schedule = diffusion_loss_.schedule();
  std::vector<int64_t> timesteps;
  std::vector<double> errors;
  const prior::TextPrefix prefix = model_->encode_text(text);
  for (int64_t i = 0; i < kTimestepsMeasured; ++i) {
    timesteps.push_back(i * (schedule.steps() - 1) / (kTimestepsMeasured - 1));
    const torch::Tensor t = torch::full({rows}, timesteps.back(), torch::kLong);
    const torch::Tensor eps =
        normal_noise({0, stream_id("prior validation"), static_cast<uint64_t>(i)}, x_0.sizes());
    const torch::Tensor x_t = diffusion::q_sample(schedule, x_0, t, eps);
    errors.push_back((model_->predict(prefix, x_t, t) - x_0).square().mean().item<double>());
  }
  if (model_->stats->has("x_0_mse")) {
    model_->stats->get("x_0_mse").copy_(
        torch::tensor(diffusion::interpolate_x_0_mse(schedule, timesteps, errors)));
  }
  return {{"validation_mse", torch::tensor(errors).mean().item<double>()},
          {"validation_mse_most_noise", errors.back()},
          {"validation_mse_half_way", errors[kTimestepsMeasured / 2]}};
}

}  // namespace unclip::train
