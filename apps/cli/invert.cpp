#include "apps/cli/invert.h"

#include <iostream>

#include "apps/cli/json_text.h"
#include "unclip/image/decode.h"
#include "unclip/io/file.h"
#include "unclip/pipeline/manipulations.h"

namespace unclip::cli {

manipulate::LatentPath latent_path(const SamplingFlags& flags) {
  check(flags.sampler.empty() || flags.sampler == "ddim", ErrorKind::usage, "--sampler is '", flags.sampler,
        "', but inverted latents are decoded by ddim: leave it out");
  manipulate::LatentPath path;
  if (!flags.steps.empty()) path.timesteps = flags.steps;
  path.guidance = flags.guidance.value_or(path.guidance);
  return path;
}

torch::ScalarType inversion_dtype(const SamplingFlags& flags) {
  return flags.dtype == "auto" ? torch::kFloat32 : flags.compute_dtype();
}

pipeline::SamplingOptions latent_sampling(const SamplingFlags& flags) {
  pipeline::SamplingOptions sampling = flags.sampling();
  sampling.prior = pipeline::PriorKind::text;  // z_i comes with the latent
  sampling.steps.reset();
  sampling.guidance.reset();
  sampling.sampler.reset();
  sampling.eta.reset();
  return sampling;
}

void write_latent(const std::vector<std::filesystem::path>& pictures,
                  const SamplingFlags& flags,
                  const Context& context) {
  check(flags.output.extension() == ".safetensors", ErrorKind::usage, "--output is '", flags.output.string(),
        "', expected a name that ends in .safetensors");
  io::check_writable_target(flags.output, flags.force);
  std::vector<torch::Tensor> pixels;
  pixels.reserve(pictures.size());
  for (const auto& picture : pictures)
    pixels.push_back(image::flatten_on(image::read_picture(picture).pixels));
  pipeline::Unclip model = flags.open(inversion_dtype(flags));
  const manipulate::Latent latent = pipeline::invert(model, pixels, latent_path(flags), *context.progress);
  manipulate::save_latent(flags.output, latent, model.model().manifest.name);
  if (!context.json && !context.quiet) std::cerr << flags.output.string() << '\n';
  if (!context.json) return;
  std::cout << json_text({{"file", flags.output.string()},
                          {"z_i", latent.z_i.sizes().vec()},
                          {"x_T", latent.x_T.sizes().vec()},
                          {"steps", latent.path.timesteps},
                          {"guidance", latent.path.guidance}})
            << '\n';
}

}  // namespace unclip::cli
