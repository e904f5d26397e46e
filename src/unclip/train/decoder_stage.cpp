#include "unclip/train/decoder_stage.h"

#include "unclip/decoder/sample.h"
#include "unclip/image/sheet.h"
#include "unclip/train/holes.h"

namespace unclip::train {
namespace {

constexpr int64_t kValidationRows = 256;
constexpr int64_t kDrawnRows = 64;  // of these, those whose pictures are drawn; the sheet shows the first

/// The holes of a sheet's pictures: the same at every evaluation.
torch::Tensor sheet_holes(const torch::Tensor& pictures) {
  return random_holes(pictures.size(0), pictures.size(2), {0, stream_id("decoder sheet holes"), 0});
}

}  // namespace

DecoderStage::DecoderStage(const DecoderRun& run,
                           pipeline::ClipEncoder clip,
                           std::shared_ptr<const data::Dataset> validation)
    : run_(run),
      model_(run.model),
      clip_(std::move(clip)),
      validation_(std::move(validation)),
      diffusion_loss_(run.model.diffusion, run.loss) {
  const clip::ClipConfig& clips = clip_.text_config();
  check_is_clips("decoder: embed_dim", run.model.embed_dim, clips.embed_dim);
  if (run.model.text.source == decoder::DecoderText::clip)
    check_is_clips("decoder: text.clip_width", run.model.text.clip_width, clips.text.width);
  nn::initialize_parameters(*model_, static_cast<uint64_t>(run.train.seed));
  model_->set_compute_dtype(compute_type(run.train.precision));
}

StepLoss DecoderStage::loss(const data::Batch& batch, const NoiseKey& key) {
  const torch::Tensor x_0 = to_unit_range(batch.pictures);
  const int64_t count = x_0.size(0);
  decoder::DecoderInput input{.z_i = clip_.encode_image(x_0), .drop_image = {}, .text = {}};
  input.drop_image = drop_mask(count, run_.model.image_drop, sub_key(key, "drop image"));
  if (run_.model.text.source != decoder::DecoderText::none) {
    const torch::Tensor drop = drop_mask(count, run_.model.text_drop, sub_key(key, "drop text"));
    input.text = nn::drop_text(clip_.encode_text(batch.captions), clip_.null_text(), drop);
  }
  const auto noised = noise_batch(diffusion_loss_.schedule(), x_0, key);
  const torch::Tensor seen = with_surroundings(noised.x_t, x_0, sub_key(key, "holes"));
  return mean_loss(diffusion_loss_(noised, model_->forward(seen, noised.t, model_->condition(input))));
}

torch::Tensor DecoderStage::with_surroundings(const torch::Tensor& x_t,
                                              const torch::Tensor& pictures,
                                              const NoiseKey& key) const {
  if (!run_.model.inpaint) return x_t;
  const torch::Tensor holes = random_holes(pictures.size(0), pictures.size(2), key);
  return torch::cat({x_t, decoder::surroundings(pictures, holes)}, 1);
}

torch::Tensor DecoderStage::draw(const HeldOut& pairs, const torch::Tensor& z_i) {
  decoder::DecoderSampling sampling{
      .sampler = {.kind = diffusion::Sampler::dpm_solver, .timesteps = join_text("logsnr", run_.sheet.steps)},
      .guidance = run_.sheet.guidance};
  decoder::SampleInput input{.z_i = z_i, .text = {}, .null_text = clip_.null_text()};
  if (run_.model.text.source != decoder::DecoderText::none) input.text = clip_.encode_text(pairs.captions);
  if (run_.model.inpaint)
    input.surroundings = decoder::surroundings(pairs.pictures, sheet_holes(pairs.pictures));
  return decoder::sample(model_, input, sampling,
                         {.noise = picture_noise(first_seeds(z_i.size(0)), "decoder"), .observer = {}});
}

void DecoderStage::write_drawn(const std::filesystem::path& sheet,
                               const torch::Tensor& real,
                               const torch::Tensor& drawn) const {
  const int64_t shown = std::min(run_.sheet.pictures, real.size(0));
  std::vector<torch::Tensor> rows{real.slice(0, 0, shown), drawn.slice(0, 0, shown)};
  if (run_.model.inpaint)
    rows.insert(rows.begin() + 1, rows[0].masked_fill(sheet_holes(real).slice(0, 0, shown), 0.25));
  image::write_sheet(sheet, torch::cat(rows), {.columns = shown});
}

Metrics DecoderStage::evaluate(const std::filesystem::path& sheet) {
  if (!validation_) return {};
  const int64_t size = run_.model.unet.size;
  const HeldOut pairs = load_held_out(*validation_, 0, std::min(kValidationRows, validation_->size()), size);
  const torch::Tensor z_i = clip_.encode_image(pairs.pictures);
  decoder::DecoderInput input{.z_i = z_i, .drop_image = {}, .text = {}};
  if (run_.model.text.source != decoder::DecoderText::none) input.text = clip_.encode_text(pairs.captions);
  const auto noised =
      noise_batch(diffusion_loss_.schedule(), pairs.pictures, {0, stream_id("decoder validation"), 0});
  const torch::Tensor seen =
      with_surroundings(noised.x_t, pairs.pictures, {0, stream_id("decoder validation holes"), 0});
  const torch::Tensor output = model_->forward(seen, noised.t, model_->condition(input));
  const StepLoss loss = mean_loss(diffusion_loss_(noised, output));

  const int64_t count = std::min(kDrawnRows, z_i.size(0));
  const HeldOut few{pairs.pictures.slice(0, 0, count),
                    {pairs.captions.begin(), pairs.captions.begin() + count}};
  const torch::Tensor drawn = draw(few, z_i.slice(0, 0, count));
  const torch::Tensor scores = clip::normalized(clip_.encode_image(drawn)).matmul(clip::normalized(z_i).t());
  write_drawn(sheet, few.pictures, drawn);
  return {{"validation_loss", loss.loss.item<double>()},
          {"validation_mse", loss.metrics.front().second},
          {"drawn_r1", recall_at(scores, 1)},
          {"drawn_cosine", scores.diagonal().mean().item<double>()}};
}

}  // namespace unclip::train
