#include "unclip/pipeline/manipulations.h"

#include <cmath>

#include "unclip/image/crop.h"
#include "unclip/image/network.h"
#include "unclip/image/resize.h"
#include "unclip/manipulate/slerp.h"
#include "unclip/manipulate/text_diff.h"
#include "unclip/model/weights.h"
#include "unclip/pipeline/batches.h"

namespace unclip::pipeline {
namespace {

/// What the decoder is told of N pictures besides their noise: z_i and empty captions.
Unclip::Conditions without_captions(const Unclip& model,
                                    const torch::Tensor& z_i,
                                    std::vector<uint64_t> seeds) {
  return {z_i, nn::repeat_text(model.clip().null_text(), z_i.size(0)), std::move(seeds)};
}

/// The settings of a manipulation: no prior of its own.
Plan plan_of(const Unclip& model, SamplingOptions sampling) {
  sampling.prior = PriorKind::text;
  sampling.prior_guidance.reset();
  sampling.prior_steps.reset();
  sampling.prior_sampler.reset();
  sampling.temperature.reset();
  sampling.top_p.reset();
  return model.plan(sampling);
}

int64_t step_count(decoder::Decoder& decoder, const manipulate::LatentPath& path) {
  const diffusion::NoiseSchedule schedule(decoder->config().diffusion.schedule);
  try {
    return static_cast<int64_t>(manipulate::trajectory(path, schedule).steps.size());
  } catch (const Error& error) {
    fail(ErrorKind::usage, "the decoder's steps: ", error.what());
  }
}

/// The square in the middle of a picture at the decoder's size, [1, 3, S, S].
torch::Tensor decoder_picture(const torch::Tensor& pixels, int64_t size) {
  const int64_t side = std::min(pixels.size(0), pixels.size(1));
  return image::to_network(image::resize(image::center_crop(pixels, side, side), size, size));
}

/// Notes about captions are added to `warnings`.
torch::Tensor z_i_of(const Unclip& model,
                     const Endpoint& endpoint,
                     const InterpolateRequest& request,
                     std::vector<std::string>& warnings,
                     Progress& progress) {
  if (const auto* picture = std::get_if<torch::Tensor>(&endpoint))
    return model.clip().embed_pictures(std::span(picture, 1));
  const nn::TextEncoding text =
      model.clip().encode_text(std::span(&std::get<std::string>(endpoint), 1), &warnings);
  SamplingOptions sampling = request.sampling;
  sampling.prior = PriorKind::diffusion;
  return model.draw_z_i(text, std::vector{request.seed}, model.plan(sampling), progress);
}

torch::Tensor picture_of(const Endpoint& endpoint) {
  const auto* picture = std::get_if<torch::Tensor>(&endpoint);
  check(picture != nullptr, ErrorKind::usage, "only pictures have an inverted latent, '",
        picture == nullptr ? std::get<std::string>(endpoint) : "", "' is a caption");
  return *picture;
}

/// Row k lies fractions[k] of the way from row 0 of `a` to row 0 of `b`.
torch::Tensor slerp_rows(const torch::Tensor& a,
                         const torch::Tensor& b,
                         const std::vector<double>& fractions) {
  std::vector<torch::Tensor> rows;
  rows.reserve(fractions.size());
  for (const double theta : fractions) rows.push_back(manipulate::slerp(a, b, theta));
  return torch::cat(rows);
}

std::vector<uint64_t> repeated(uint64_t seed, size_t count) { return std::vector<uint64_t>(count, seed); }

}  // namespace

manipulate::Latent invert(const Unclip& model,
                          const std::vector<torch::Tensor>& pictures,
                          const manipulate::LatentPath& path,
                          Progress& progress) {
  const auto count = static_cast<int64_t>(pictures.size());
  const auto conditions = without_captions(model, model.clip().embed_pictures(pictures), {});
  decoder::Decoder decoder = model.networks().decoder();
  const int64_t steps = step_count(decoder, path);
  std::vector<torch::Tensor> x_0;
  x_0.reserve(pictures.size());
  for (const torch::Tensor& picture : pictures)
    x_0.push_back(decoder_picture(picture, decoder->config().unet.size));
  progress.begin("inversion", steps * batch_count(count, kBatch));
  const torch::Tensor all = torch::cat(x_0);
  const torch::Tensor inverted = in_batches(count, kBatch, [&](int64_t first, int64_t last) {
    return manipulate::invert(decoder, model.sample_input(conditions, first, last), all.slice(0, first, last),
                              path, hooks({}, "decoder", progress));
  });
  progress.end();
  return {conditions.z_i, inverted, path};
}

Pictures draw_latent(const Unclip& model, const LatentRequest& request, Progress& progress) {
  const Plan plan = plan_of(model, request.sampling);
  const auto count = static_cast<int64_t>(request.seeds.size());
  const manipulate::Latent& latent = request.latent;
  const auto conditions = without_captions(model, latent.z_i.expand({count, -1}), request.seeds);
  decoder::Decoder decoder = model.networks().decoder();
  const torch::Tensor noise = latent.x_T.expand({count, -1, -1, -1});
  progress.begin("decoder", step_count(decoder, latent.path) * batch_count(count, kBatch));
  Pictures result{.z_i = conditions.z_i, .base = {}, .pictures = {}, .warnings = {}};
  result.base = in_batches(count, kBatch, [&](int64_t first, int64_t last) {
    return manipulate::decode(decoder, model.sample_input(conditions, first, last),
                              {latent.z_i, noise.slice(0, first, last), latent.path}, request.eta,
                              hooks(part_of(request.seeds, first, last), "decoder", progress));
  });
  progress.end();
  result.pictures = model.enlarge(result.base, plan, request.seeds, progress);
  return result;
}

Pictures interpolate(const Unclip& model, const InterpolateRequest& request, Progress& progress) {
  const std::vector<double> theta = manipulate::fractions(request.frames, 1.0);
  const std::vector<uint64_t> seeds = repeated(request.seed, theta.size());
  const Plan plan = plan_of(model, request.sampling);
  if (request.inverted) {
    const manipulate::Latent ends =
        invert(model, {picture_of(request.a), picture_of(request.b)}, *request.inverted, progress);
    const auto between = [&](const torch::Tensor& rows) {
      return slerp_rows(rows.slice(0, 0, 1), rows.slice(0, 1, 2), theta);
    };
    const manipulate::Latent frames{between(ends.z_i), between(ends.x_T), ends.path};
    return draw_latent(model, {frames, 0.0, seeds, request.sampling}, progress);
  }
  std::vector<std::string> warnings;
  const torch::Tensor z_1 = z_i_of(model, request.a, request, warnings, progress);
  const torch::Tensor z_2 = z_i_of(model, request.b, request, warnings, progress);
  Pictures result = model.draw(without_captions(model, slerp_rows(z_1, z_2, theta), seeds), plan, progress);
  result.warnings = std::move(warnings);
  return result;
}

Pictures edit(const Unclip& model, const EditRequest& request, Progress& progress) {
  plan_of(model, request.sampling);  // what is wrong with it shows before long work
  std::vector<std::string> warnings;
  torch::Tensor z_d = model.clip().encode_text(std::span(&request.to, 1), &warnings).z_t.to(torch::kFloat32);
  z_d = request.from ? manipulate::text_diff(
                           z_d, model.clip().encode_text(std::span(&*request.from, 1), &warnings).z_t)
                     : z_d / z_d.norm(2, -1, true);
  const std::vector<double> theta = manipulate::fractions(request.frames, request.theta);
  const manipulate::Latent latent = invert(model, {request.picture}, request.path, progress);
  std::vector<torch::Tensor> z_i;
  z_i.reserve(theta.size());
  for (const double fraction : theta) z_i.push_back(manipulate::edited(latent.z_i, z_d, fraction));
  const auto count = static_cast<int64_t>(theta.size());
  const manipulate::Latent frames{torch::cat(z_i), latent.x_T.expand({count, -1, -1, -1}), latent.path};
  Pictures result =
      draw_latent(model, {frames, 0.0, repeated(request.seed, theta.size()), request.sampling}, progress);
  result.warnings = std::move(warnings);
  return result;
}

std::optional<manipulate::PrincipalComponents> stored_components(const model::Model& model) {
  if (!model.ar_prior) return std::nullopt;
  const io::NamedTensors stored = model::read_tensors<prior::AutoregressivePrior>(*model.ar_prior);
  const auto kept = std::llround(stored.at("stats.components").item<double>());
  const torch::Tensor basis = stored.at("stats.basis").to(torch::kFloat64);
  check(basis.dim() == 2 && kept >= 1 && kept <= basis.size(0), ErrorKind::checkpoint, model.path.string(),
        ": stats.components is ", kept, ", but stats.basis has shape ", basis.sizes());
  return manipulate::PrincipalComponents{stored.at("stats.mean").to(torch::kFloat64).flatten(),
                                         basis.slice(0, 0, kept),
                                         stored.at("stats.eigenvalues").to(torch::kFloat64).flatten()};
}

Pictures probe(const Unclip& model, const ProbeRequest& request, Progress& progress) {
  const Plan plan = plan_of(model, request.sampling);
  const torch::Tensor z_i = model.clip().embed_pictures(std::span(&request.picture, 1));
  std::vector<torch::Tensor> rows;
  rows.reserve(request.counts.size());
  for (const int64_t k : request.counts) rows.push_back(manipulate::project(z_i, request.components, k));
  return model.draw(without_captions(model, torch::cat(rows), repeated(request.seed, rows.size())), plan,
                    progress);
}

}  // namespace unclip::pipeline
