#include "unclip/pipeline/unclip.h"

#include <utility>

#include "unclip/base/runtime.h"
#include "unclip/image/network.h"
#include "unclip/pipeline/batches.h"
#include "unclip/prior/autoregressive_sample.h"
#include "unclip/prior/sample.h"

namespace unclip::pipeline {
namespace {

SamplingNoise noise_of(const std::vector<uint64_t>& seeds, const std::filesystem::path& recording) {
  if (recording.empty()) return seeds;
  return SamplingNoise::recorded(recording, static_cast<int64_t>(seeds.size()));
}

/// Steps of the whole stage, for the progress bar.
int64_t step_count(const diffusion::SamplerConfig& sampler,
                   const diffusion::DiffusionConfig& config,
                   int64_t count,
                   int64_t batch) {
  const auto steps = diffusion::trajectory(sampler, diffusion::NoiseSchedule(config.schedule)).steps.size();
  return static_cast<int64_t>(steps) * batch_count(count, batch);
}

}  // namespace

Unclip::Unclip(std::shared_ptr<Networks> networks) : networks_(std::move(networks)), clip_(networks_) {}

Unclip::Unclip(const std::filesystem::path& model,
               const NetworksOptions& options,
               const std::filesystem::path& vocabulary)
    : Unclip(std::make_shared<Networks>(model::open_model(model, vocabulary), options)) {}

Unclip::Unclip(const std::filesystem::path& model, torch::ScalarType dtype)
    : Unclip(model, NetworksOptions{.dtype = dtype}) {}

Plan Unclip::plan(const SamplingOptions& sampling) const {
  Plan plan = make_plan(model(), sampling);
  check_files(model(), plan);
  const NetworksOptions& options = networks_->options();
  if (options.has_budget()) fit_to_budget(model(), options.dtype, options.budget, plan);
  return plan;
}

void Unclip::end_stage(Progress& progress) const {
  if (networks_->options().has_budget()) progress.note(join_text("peak ", peak_memory() >> 20, " MiB"));
  progress.end();
}

Pictures Unclip::generate(const GenerateRequest& request, Progress& progress) const {
  check(!request.captions.empty() && request.captions.size() == request.seeds.size(), ErrorKind::usage,
        "generate: got ", request.captions.size(), " captions and ", request.seeds.size(),
        " seeds, expected as many");
  Plan plan = this->plan(request.sampling);
  const SamplingNoise noise = noise_of(request.seeds, request.recorded_noise);
  if (noise.is_recorded()) plan.decoder.candidates = 1;
  if (plan.prior && noise.is_recorded()) plan.prior->candidates = 1;
  std::vector<std::string> warnings;
  const nn::TextEncoding text = clip_.encode_text(request.captions, &warnings);
  const torch::Tensor z_i = draw_z_i(text, noise, plan, progress);
  const bool without_image = request.sampling.prior == PriorKind::none;
  Pictures result = draw_best({z_i, text, noise, without_image}, plan, progress);
  noise.check_all_used();
  result.warnings = std::move(warnings);
  return result;
}

Pictures Unclip::vary(const VaryRequest& request, Progress& progress) const {
  SamplingOptions sampling = request.sampling;
  sampling.prior = PriorKind::text;  // no prior: z_i is the picture's
  Plan plan = this->plan(sampling);
  const SamplingNoise noise = noise_of(request.seeds, request.recorded_noise);
  if (noise.is_recorded()) plan.decoder.candidates = 1;
  const auto count = static_cast<int64_t>(request.seeds.size());
  const torch::Tensor z_i = clip_.embed_pictures(std::span(&request.picture, 1)).expand({count, -1});
  Pictures result = draw_best({z_i, nn::repeat_text(clip_.null_text(), count), noise}, plan, progress);
  noise.check_all_used();
  return result;
}

torch::Tensor Unclip::draw_z_i(const nn::TextEncoding& text,
                               const SamplingNoise& noise,
                               const Plan& plan,
                               Progress& progress) const {
  if (plan.prior) return draw_diffusion(text, noise, plan, progress);
  if (plan.ar_prior) return draw_autoregressive(text, noise, *plan.ar_prior, progress);
  return text.z_t.to(torch::kFloat32);  // z_t stands in for z_i, or nothing does (unCLIP §5.1)
}

torch::Tensor Unclip::draw_diffusion(const nn::TextEncoding& text,
                                     const SamplingNoise& noise,
                                     const Plan& plan,
                                     Progress& progress) const {
  const prior::PriorSampling& sampling = *plan.prior;
  const nn::TextEncoding null_text = clip_.null_text();
  prior::DiffusionPrior model = networks_->prior();
  progress.begin("prior",
                 step_count(sampling.sampler, model->config().diffusion, text.size(), plan.prior_batch));
  const torch::Tensor z_i = in_batches(text.size(), plan.prior_batch, [&](int64_t first, int64_t last) {
    return prior::sample(model, {nn::slice_text(text, first, last), null_text}, sampling,
                         hooks(noise.of("prior", first, last, sampling.candidates), progress));
  });
  end_stage(progress);
  return z_i;
}

torch::Tensor Unclip::draw_autoregressive(const nn::TextEncoding& text,
                                          const SamplingNoise& noise,
                                          const prior::CodeSampling& sampling,
                                          Progress& progress) const {
  const nn::TextEncoding null_text = clip_.null_text();
  prior::AutoregressivePrior model = networks_->ar_prior();
  progress.begin("ar-prior", model->components() * batch_count(text.size(), kBatch));
  const torch::Tensor z_i = in_batches(text.size(), kBatch, [&](int64_t first, int64_t last) {
    return prior::sample(
        model, {nn::slice_text(text, first, last), null_text}, sampling,
        {.uniform = noise.uniforms("ar_prior", first, last, sampling.candidates), .on_code = [&progress] {
           progress.throw_if_stopped();
           progress.advance();
         }});
  });
  end_stage(progress);
  return z_i;
}

Pictures Unclip::draw(const Conditions& conditions, const Plan& plan, Progress& progress) const {
  Pictures result{
      .z_i = conditions.z_i, .base = decode(conditions, plan, progress), .pictures = {}, .warnings = {}};
  result.pictures = enlarge(result.base, plan, conditions.noise, progress);
  return result;
}

Pictures Unclip::draw_best(const Conditions& c, const Plan& plan, Progress& progress) const {
  const int64_t candidates = plan.decoder.candidates;
  if (candidates == 1) return draw(c, plan, progress);
  const Conditions several{.z_i = c.z_i.repeat_interleave(candidates, 0),
                           .text = nn::repeat_text(c.text, candidates),
                           .noise = c.noise.repeated(candidates),
                           .without_image = c.without_image};
  const torch::Tensor drawn = decode(several, plan, progress);
  Pictures result{.z_i = c.z_i,
                  .base = nearest_to(c.without_image ? c.text.z_t : c.z_i, drawn, candidates),
                  .pictures = {},
                  .warnings = {}};
  result.pictures = enlarge(result.base, plan, c.noise, progress);
  return result;
}

torch::Tensor Unclip::nearest_to(const torch::Tensor& z,
                                 const torch::Tensor& pictures,
                                 int64_t candidates) const {
  const torch::Tensor pixels = image::to_pixels(pictures);
  std::vector<torch::Tensor> best;
  for (int64_t row = 0; row < z.size(0); ++row) {
    // One result at a time: what is chosen must not depend on how many there are.
    const int64_t first = row * candidates;
    const torch::Tensor seen = clip_.embed_pictures(pixels.slice(0, first, first + candidates).unbind());
    const torch::Tensor cosines = at::cosine_similarity(seen, z[row].to(torch::kFloat32).unsqueeze(0));
    best.push_back(pictures[first + cosines.argmax().item<int64_t>()]);
  }
  return torch::stack(best);
}

bool Unclip::reads_captions() const {
  const auto& decoder = model::required(model(), model().decoder, "decoder");
  return decoder.config.text.source != decoder::DecoderText::none;
}

decoder::SampleInput Unclip::sample_input(const Conditions& conditions, int64_t first, int64_t last) const {
  decoder::SampleInput input{.z_i = conditions.z_i.slice(0, first, last), .text = {}, .null_text = {}};
  input.without_image = conditions.without_image;
  if (reads_captions()) {
    input.text = nn::slice_text(conditions.text, first, last);
    input.null_text = clip_.null_text();
  }
  return input;
}

torch::Tensor Unclip::decode(const Conditions& conditions, const Plan& plan, Progress& progress) const {
  const int64_t count = conditions.z_i.size(0);
  if (reads_captions()) clip_.null_text();  // encoded once, before the decoder is loaded
  decoder::Decoder model = networks_->decoder();
  progress.begin("decoder",
                 step_count(plan.decoder.sampler, model->config().diffusion, count, plan.decoder_batch));
  const torch::Tensor pictures = in_batches(count, plan.decoder_batch, [&](int64_t first, int64_t last) {
    return decoder::sample(model, sample_input(conditions, first, last), plan.decoder,
                           hooks(conditions.noise.of("decoder", first, last), progress));
  });
  end_stage(progress);
  return pictures;
}

torch::Tensor Unclip::enlarge(torch::Tensor pictures,
                              const Plan& plan,
                              const SamplingNoise& noise,
                              Progress& progress) const {
  for (const UpsamplingPlan& upsampling : plan.upsamplers)
    pictures = upsample(pictures, upsampling, noise, progress);
  return pictures;
}

torch::Tensor Unclip::upsample(const torch::Tensor& low,
                               const UpsamplingPlan& plan,
                               const SamplingNoise& noise,
                               Progress& progress) const {
  const upsampler::UpsamplerConfig& config = model().upsampler(plan.stage).net.config;
  upsampler::StepNets nets = networks_->upsampler(plan.stage, plan.nets_in_turn);
  progress.begin("up-" + std::to_string(plan.size),
                 step_count(plan.sampler, config.diffusion, low.size(0), plan.batch));
  const torch::Tensor pictures = in_batches(low.size(0), plan.batch, [&](int64_t first, int64_t last) {
    if (first > 0 && plan.nets_in_turn) nets = networks_->upsampler(plan.stage, true);
    return upsampler::sample(plan.nets_in_turn ? std::exchange(nets, {}) : nets, low.slice(0, first, last),
                             plan.sampler, hooks(noise.of(plan.stage, first, last), progress));
  });
  end_stage(progress);
  return pictures;
}

}  // namespace unclip::pipeline
