#include "unclip/manipulate/latent.h"

#include <cmath>

#include "unclip/diffusion/timesteps.h"
#include "unclip/io/safetensors.h"

namespace unclip::manipulate {
namespace {

constexpr const char* kKind = "unclip latent";

std::string metadata_value(const io::SafetensorsFile& file,
                           const std::string& key,
                           const std::string& where) {
  const auto found = file.metadata().find(key);
  check(found != file.metadata().end(), ErrorKind::checkpoint, where,
        " holds no latent: its metadata has no '", key, "'; `unclip embed --invert` writes latents");
  return found->second;
}

double number(const std::string& text, const std::string& where) {
  std::istringstream stream(text);
  double value = 0;
  check(stream >> value && stream.eof() && std::isfinite(value) && value >= 0, ErrorKind::checkpoint, where,
        ": the guidance of its path is '", text, "', expected a number");
  return value;
}

/// x_T and z_i belong to the same pictures.
void check_latent(const Latent& latent, const std::string& where) {
  const bool fits = latent.z_i.dim() == 2 && latent.x_T.dim() == 4 &&
                    latent.z_i.size(0) == latent.x_T.size(0) && latent.z_i.size(0) > 0 &&
                    latent.x_T.is_floating_point() && latent.z_i.is_floating_point();
  check(fits, ErrorKind::checkpoint, where, " has z_i ", latent.z_i.sizes(), " and x_T ", latent.x_T.sizes(),
        ", expected [N, D] and [N, 3, S, S]");
  check(latent.z_i.isfinite().all().item<bool>() && latent.x_T.isfinite().all().item<bool>(),
        ErrorKind::checkpoint, where, " holds values that are no numbers");
}

}  // namespace

diffusion::Trajectory trajectory(const LatentPath& path, const diffusion::NoiseSchedule& schedule) {
  const auto timesteps =
      diffusion::parse_timesteps(path.timesteps, schedule, diffusion::solvable_timesteps(schedule));
  return {schedule, diffusion::sampling_steps(timesteps)};
}

Tensor invert(decoder::Decoder& model,
              const decoder::SampleInput& input,
              const Tensor& pictures,
              const LatentPath& path,
              const diffusion::SamplingHooks& hooks) {
  const torch::NoGradGuard no_grad;
  const diffusion::NoiseSchedule schedule(model->config().diffusion.schedule);
  return diffusion::invert_ddim(decoder::unbounded_denoiser(model, input, path.guidance), pictures,
                                trajectory(path, schedule), hooks);
}

Tensor decode(decoder::Decoder& model,
              const decoder::SampleInput& input,
              const Latent& latent,
              double eta,
              const diffusion::SamplingHooks& hooks) {
  const torch::NoGradGuard no_grad;
  const auto& unet = model->config().unet;
  check(latent.x_T.sizes().slice(1) ==
            torch::IntArrayRef{model->config().picture_channels(), unet.size, unet.size},
        ErrorKind::shape, "the latent's x_T has shape ", latent.x_T.sizes(),
        ", but this model's decoder draws ", unet.size, " × ", unet.size,
        " pixels: use the model that inverted the picture");
  const diffusion::NoiseSchedule schedule(model->config().diffusion.schedule);
  return diffusion::sample_ddim(decoder::unbounded_denoiser(model, input, latent.path.guidance), latent.x_T,
                                trajectory(latent.path, schedule), {.eta = eta}, hooks)
      .clamp(-1, 1);
}

void save_latent(const std::filesystem::path& file, const Latent& latent, const std::string& model) {
  io::write_safetensors(file, {{"z_i", latent.z_i.contiguous()}, {"x_T", latent.x_T.contiguous()}},
                        {{"kind", kKind},
                         {"model", model},
                         {"timesteps", latent.path.timesteps},
                         {"guidance", join_text(latent.path.guidance)}});
}

Latent load_latent(const std::filesystem::path& file) {
  const std::string where = file.string();
  const io::SafetensorsFile stored(file);
  check(metadata_value(stored, "kind", where) == kKind, ErrorKind::checkpoint, where,
        " is of another kind, '", metadata_value(stored, "kind", where), "', expected '", kKind, "'");
  Latent latent{.z_i = stored.tensor("z_i").clone(),
                .x_T = stored.tensor("x_T").clone(),
                .path = {.timesteps = metadata_value(stored, "timesteps", where),
                         .guidance = number(metadata_value(stored, "guidance", where), where)}};
  check_latent(latent, where);
  return latent;
}

}  // namespace unclip::manipulate
