#include "unclip/train/upsampler_stage.h"

#include "unclip/image/degrade.h"
#include "unclip/image/network.h"
#include "unclip/image/sheet.h"
#include "unclip/upsampler/sample.h"

namespace unclip::train {
namespace {

/// 20 log10(peak / RMSE) of pictures in −1…1, in dB.
double psnr(const torch::Tensor& a, const torch::Tensor& b) {
  return 10 * std::log10(4.0 / (a - b).square().mean().item<double>());
}

}  // namespace

UpsamplerStage::UpsamplerStage(const UpsamplerRun& run, std::shared_ptr<const data::Dataset> validation)
    : run_(run),
      model_(run.model),
      validation_(std::move(validation)),
      diffusion_loss_(run.model.diffusion, run.loss) {
  const auto& picture = run.data.picture;
  check(picture.size == run.model.unet.size && picture.low_res == run.model.low_size, ErrorKind::config,
        "upsampler: data.picture has size ", picture.size, " and low_res ", picture.low_res.value_or(0),
        ", expected those of the model: ", run.model.unet.size, " and ", run.model.low_size);
  nn::initialize_parameters(*model_, static_cast<uint64_t>(run.train.seed));
  model_->set_compute_dtype(compute_type(run.train.precision));
}

data::Degradation UpsamplerStage::degradation(const upsampler::UpsamplerConfig& config) {
  if (config.corruption == upsampler::Corruption::none) return nullptr;
  const bool blur = config.corruption == upsampler::Corruption::blur;
  return [blur, rate = config.corruption_rate](const torch::Tensor& low_res, const NoiseKey& key) {
    const bool spoil = uniform_noise(sub_key(key, "spoil"), {1}).item<double>() < rate;
    if (!spoil) return low_res;
    // The picture is small already: spoil it at its own size.
    return blur ? image::to_pixels(image::gaussian_blur(image::to_network(low_res))).squeeze(0)
                : image::bsr_degrade(low_res, 1, key);
  };
}

StepLoss UpsamplerStage::loss(const data::Batch& batch, const NoiseKey& key) {
  if (!batch.low_res) fail(ErrorKind::shape, "upsampler: the batch has no low-resolution pictures");
  const torch::Tensor x_0 = to_unit_range(batch.pictures);
  const torch::Tensor enlarged = model_->enlarge(to_unit_range(*batch.low_res), x_0.size(2), x_0.size(3));
  const auto noised = noise_batch(diffusion_loss_.schedule(), x_0, key);
  return mean_loss(diffusion_loss_(noised, model_->forward(noised.x_t, noised.t, enlarged)));
}

Metrics UpsamplerStage::evaluate(const std::filesystem::path& sheet) {
  if (!validation_) return {};
  const int64_t size = run_.model.unet.size, count = std::min(run_.sheet_pictures, validation_->size());
  const torch::Tensor real = load_held_out(*validation_, 0, count, size).pictures;
  const torch::Tensor low = at::adaptive_avg_pool2d(real, {run_.model.low_size, run_.model.low_size});
  const diffusion::SamplerConfig sampler{.kind = diffusion::Sampler::ddim,
                                         .timesteps = std::to_string(run_.sheet_steps)};
  const torch::Tensor drawn = upsampler::sample(
      {model_}, low, sampler, {.noise = picture_noise(first_seeds(count), "upsampler"), .observer = {}});
  const torch::Tensor enlarged = model_->enlarge(low, size, size).clamp(-1, 1);
  image::write_sheet(sheet, torch::cat({enlarged, drawn, real}), {.columns = count});
  return {{"psnr", psnr(drawn, real)}, {"psnr_of_enlarging", psnr(enlarged, real)}};
}

}  // namespace unclip::train
