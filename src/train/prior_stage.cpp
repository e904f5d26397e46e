#include "unclip/train/prior_stage.h"

#include "unclip/diffusion/samplers/analytic_dpm.h"
#include "unclip/prior/sample.h"

namespace unclip::train {
namespace {

constexpr int64_t kStatisticsBatches = 40;
constexpr int64_t kValidationRows = 512;
constexpr int64_t kDrawnRows = 128;  // of these, those whose z_i is drawn from the caption
constexpr int64_t kRowsOnSheet = 12;
constexpr int64_t kTimestepsMeasured = 50;  // of the x_0_mse table; the rest by interpolation

}  // namespace

PriorStage::PriorStage(const PriorRun& run, FrozenClip clip, std::shared_ptr<const data::Dataset> validation)
    : run_(run),
      model_(run.model),
      clip_(std::move(clip)),
      validation_(std::move(validation)),
      diffusion_loss_(run.model.diffusion, run.loss) {
  check(clip_.model->config().embed_dim == run.model.embed_dim, ErrorKind::config, "prior: embed_dim is ",
        run.model.embed_dim, ", but CLIP's is ", clip_.model->config().embed_dim);
  nn::initialize_parameters(*model_, static_cast<uint64_t>(run.train.seed));
  model_->compute_dtype = compute_type(run.train.precision);
}

void PriorStage::prepare(data::Loader& loader) {
  if (run_.model.scaling != prior::EmbeddingScaling::standardize) return;
  std::vector<torch::Tensor> embeddings;
  embeddings.reserve(kStatisticsBatches);
  for (int64_t i = 0; i < kStatisticsBatches; ++i) {
    embeddings.push_back(clip_.encode_image(to_unit_range(loader.next().pictures)));
  }
  const torch::Tensor z_i = torch::cat(embeddings);
  model_->stats->get("mean").copy_(z_i.mean(0));
  model_->stats->get("std").copy_(z_i.std(0));
}

StepLoss PriorStage::loss(const data::Batch& batch, const NoiseKey& key) {
  const torch::Tensor x_0 = model_->scale(clip_.encode_image(to_unit_range(batch.pictures)));
  const torch::Tensor drop = drop_mask(x_0.size(0), run_.model.text_drop, sub_key(key, "drop text"));
  const nn::TextEncoding text = nn::drop_text(clip_.encode_text(batch.captions), clip_.null_text, drop);
  const auto noised = noise_batch(diffusion_loss_.schedule(), x_0, key);
  return mean_loss(diffusion_loss_(noised, model_->forward(noised.x_t, noised.t, text)));
}

Figures PriorStage::evaluate(const std::filesystem::path& sheet) {
  if (!validation_) return {};
  const int64_t rows = std::min(kValidationRows, validation_->size());
  const HeldOut pairs = load_held_out(*validation_, 0, rows, clip_.model->config().vision.image_size);
  const torch::Tensor z_i = clip_.encode_image(pairs.pictures);
  Figures figures = measure_errors(pairs, z_i);
  const torch::Tensor scores = retrieve(pairs, z_i);
  figures.emplace_back("drawn_r1", recall_at(scores, 1));
  figures.emplace_back("drawn_r10", recall_at(scores, 10));
  write_retrieval_sheet(sheet, *validation_, scores.slice(0, 0, kRowsOnSheet),
                        clip_.model->config().vision.image_size);
  return figures;
}

torch::Tensor PriorStage::retrieve(const HeldOut& pairs, const torch::Tensor& z_i) {
  const int64_t count = std::min(kDrawnRows, z_i.size(0));
  const auto seeds = first_seeds(count * run_.model.sampling.candidates);
  const std::vector<std::string> captions(pairs.captions.begin(), pairs.captions.begin() + count);
  const torch::Tensor drawn =
      prior::sample(model_, {clip_.encode_text(captions), clip_.null_text}, run_.model.sampling,
                    {.noise = picture_noise(seeds, "prior"), .observer = {}});
  return clip::normalized(drawn).matmul(clip::normalized(z_i).t());
}

Figures PriorStage::measure_errors(const HeldOut& pairs, const torch::Tensor& z_i) {
  const torch::Tensor x_0 = model_->scale(z_i);
  const int64_t rows = x_0.size(0);
  const nn::TextEncoding text = clip_.encode_text(pairs.captions);
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
