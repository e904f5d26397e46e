#include "unclip/prior/sample.h"

#include <algorithm>

#include "unclip/prior/candidates.h"

namespace unclip::prior {
namespace {

Tensor timestep(const Tensor& x_t, int64_t t) { return torch::full({x_t.size(0)}, t, torch::kLong); }

diffusion::Denoiser guided_denoiser(DiffusionPrior& model,
                                    const nn::TextEncoding& text,
                                    const nn::TextEncoding& null_text,
                                    double guidance) {
  const DiffusionPriorConfig& config = model->config();
  const auto network = [&model](TextPrefix prefix) {
    return [&model, prefix = std::move(prefix)](const Tensor& x_t, int64_t t) {
      return model->predict(prefix, x_t, timestep(x_t, t));
    };
  };
  diffusion::Network guided;
  if (guidance == 1.0) {
    guided = network(model->encode_text(text));
  } else {
    const nn::TextEncoding both = concatenate_text(text, repeat_text(null_text, text.size()));
    guided = diffusion::guide_doubled(network(model->encode_text(both)), guidance);
  }
  return diffusion::threshold(
      diffusion::make_denoiser(diffusion::NoiseSchedule(config.diffusion.schedule), config.diffusion, guided),
      config.diffusion.threshold);
}

/// The stored table of errors; empty if the model has none, which Analytic-DPM then refuses.
std::vector<double> error_table(DiffusionPrior& model) {
  if (!model->stats->has("x_0_mse")) return {};
  const Tensor table = model->stats->get("x_0_mse").to(torch::kFloat64).contiguous();
  return {table.const_data_ptr<double>(), table.const_data_ptr<double>() + table.numel()};
}

}  // namespace

Tensor sample(DiffusionPrior& model,
              const PriorInput& input,
              const PriorSampling& sampling,
              const diffusion::SamplingHooks& hooks) {
  sampling.validate();
  const torch::NoGradGuard no_grad;
  const DiffusionPriorConfig& config = model->config();
  const int64_t count = input.text.size();
  const nn::TextEncoding text = repeat_text(input.text, sampling.candidates);
  const Tensor like = torch::empty({count * sampling.candidates, config.embed_dim});
  const diffusion::SamplingInputs inputs{.hooks = hooks, .x_0_mse = error_table(model)};
  const Tensor x_0 = diffusion::sample(sampling.sampler, diffusion::NoiseSchedule(config.diffusion.schedule),
                                       guided_denoiser(model, text, input.null_text, sampling.guidance),
                                       hooks.noise(like, kInitialNoise), inputs);
  const Tensor z_i = model->unscale(x_0).view({count, sampling.candidates, config.embed_dim});
  return best_by_dot_product(z_i, input.text.z_t);
}

}  // namespace unclip::prior
