#include "unclip/pipeline/unclip.h"

#include <algorithm>

#include "unclip/image/network.h"

namespace unclip::pipeline {
namespace {

constexpr int64_t kBatch = 16;             // pictures drawn together: enough to fill the cores, little memory
constexpr int64_t kBatchPixels = 1 << 18;  // of the upsamplers: four pictures of 256²

/// Calls run(first, last) for the rows of each batch and joins what it returns.
template <class Run>
torch::Tensor in_batches(int64_t count, int64_t batch, const Run& run) {
  std::vector<torch::Tensor> parts;
  for (int64_t first = 0; first < count; first += batch)
    parts.push_back(run(first, std::min(first + batch, count)));
  return torch::cat(parts);
}

std::vector<uint64_t> part_of(const std::vector<uint64_t>& seeds, int64_t first, int64_t last) {
  return {seeds.begin() + first, seeds.begin() + last};
}

nn::TextEncoding part_of(const nn::TextEncoding& text, int64_t first, int64_t last) {
  const auto part = [=](const torch::Tensor& t) { return t.slice(0, first, last); };
  return {part(text.ids), part(text.mask), part(text.z_t), part(text.hidden)};
}

diffusion::SamplingHooks hooks(std::vector<uint64_t> seeds, const std::string& stage, Progress& progress) {
  return {.noise = picture_noise(std::move(seeds), stage),
          .observer = [&progress](const diffusion::StepReport&) { progress.advance(); }};
}

/// Steps of the whole stage, for the progress bar.
int64_t step_count(const diffusion::SamplerConfig& sampler,
                   const diffusion::DiffusionConfig& config,
                   int64_t count,
                   int64_t batch) {
  const auto steps = diffusion::trajectory(sampler, diffusion::NoiseSchedule(config.schedule)).steps.size();
  return static_cast<int64_t>(steps) * ((count + batch - 1) / batch);
}

}  // namespace

std::map<int64_t, std::string> upsampling_stages(const ModelDirectory& directory) {
  std::map<int64_t, std::string> result;
  for (const auto& [stage, folder] : directory.manifest().stages) {
    if (!stage.starts_with("upsampler_")) continue;
    result[read_stage_config<upsampler::UpsamplerConfig>(directory.path() / folder).unet.size] = stage;
  }
  return result;
}

Unclip::Unclip(const std::filesystem::path& model, torch::ScalarType dtype)
    : directory_(model), dtype_(dtype), tokenizer_(text::Tokenizer::load(directory_.tokenizer())) {}

std::vector<int64_t> Unclip::sizes() const {
  std::vector<int64_t> result{
      read_stage_config<decoder::DecoderConfig>(directory_.stage("decoder")).unet.size};
  for (const auto& [size, stage] : upsampling_stages(directory_)) result.push_back(size);
  return result;
}

clip::Clip& Unclip::clip() {
  if (clip_.is_empty()) {
    clip_ = load_stage<clip::Clip, clip::ClipConfig>(directory_.stage("clip"));
    clip_->set_compute_dtype(dtype_);
  }
  return clip_;
}

nn::TextEncoding Unclip::encode(const std::vector<std::string>& captions,
                                std::vector<std::string>* warnings) {
  const torch::NoGradGuard no_grad;
  const int64_t context = clip()->config().text.context_length;
  const text::Tokens tokens = tokenizer_.tokenize(captions, context);
  for (size_t i = 0; warnings != nullptr && i < captions.size(); ++i) {
    if (tokens.truncated[i]) {
      warnings->push_back(join_text("the caption '", captions[i].substr(0, 40),
                                    "…' is longer than the model's ", context,
                                    " tokens: its end is not read"));
    }
  }
  return clip()->encode_text(tokens.ids, tokens.mask);
}

void Unclip::check_drawing(const Drawing& drawing) const {
  const auto known = sizes();
  std::string names;
  for (const int64_t size : known) names += (names.empty() ? "" : ", ") + std::to_string(size);
  check(std::ranges::find(known, drawing.size) != known.end(), ErrorKind::usage,
        "this model draws pictures of ", names, " pixels a side, not ", drawing.size);
}

Pictures Unclip::generate(const GenerateRequest& request, Progress& progress) {
  check(!request.captions.empty() && request.captions.size() == request.seeds.size(), ErrorKind::usage,
        "generate: got ", request.captions.size(), " captions and ", request.seeds.size(),
        " seeds, expected as many");
  check_drawing(request.drawing);
  std::vector<std::string> warnings;
  const nn::TextEncoding text = encode(request.captions, &warnings);
  const torch::Tensor z_i = draw_z_i(text, request, progress);
  Pictures result = draw({z_i, text, request.seeds}, request.drawing, progress);
  result.warnings = std::move(warnings);
  return result;
}

Pictures Unclip::vary(const VaryRequest& request, Progress& progress) {
  check_drawing(request.drawing);
  const torch::NoGradGuard no_grad;
  const auto count = static_cast<int64_t>(request.seeds.size());
  const torch::Tensor input = clip::preprocess(image::to_network(request.picture), clip()->config().vision);
  const torch::Tensor z_i = clip()->encode_image(input).to(torch::kFloat32).expand({count, -1});
  const nn::TextEncoding text = encode(std::vector<std::string>(request.seeds.size()), nullptr);
  return draw({z_i, text, request.seeds}, request.drawing, progress);
}

torch::Tensor Unclip::draw_z_i(const nn::TextEncoding& text,
                               const GenerateRequest& request,
                               Progress& progress) {
  const Drawing& drawing = request.drawing;
  if (drawing.prior == PriorKind::text) return text.z_t.to(torch::kFloat32);
  if (drawing.prior == PriorKind::none) return torch::zeros({text.size(), text.z_t.size(1)});
  auto model = load_stage<prior::DiffusionPrior, prior::DiffusionPriorConfig>(directory_.stage("prior"));
  model->compute_dtype = dtype_;
  prior::PriorSampling sampling = model->config().sampling;
  if (drawing.prior_guidance) sampling.guidance = *drawing.prior_guidance;
  if (drawing.prior_steps) sampling.sampler.timesteps = *drawing.prior_steps;
  if (drawing.prior_sampler) sampling.sampler.kind = *drawing.prior_sampler;
  const nn::TextEncoding null_text = encode({""}, nullptr);
  progress.begin("prior", step_count(sampling.sampler, model->config().diffusion, text.size(), kBatch));
  const torch::Tensor z_i = in_batches(text.size(), kBatch, [&](int64_t first, int64_t last) {
    std::vector<uint64_t> seeds;  // candidate c of a picture has a seed of its own
    for (const uint64_t seed : part_of(request.seeds, first, last)) {
      for (int64_t c = 0; c < sampling.candidates; ++c)
        seeds.push_back(seed + static_cast<uint64_t>(c) * 0x9E3779B97F4A7C15ULL);
    }
    return prior::sample(model, {part_of(text, first, last), null_text}, sampling,
                         hooks(seeds, "prior", progress));
  });
  progress.end();
  return z_i;
}

Pictures Unclip::draw(const Conditions& conditions, const Drawing& drawing, Progress& progress) {
  Pictures result{
      .z_i = conditions.z_i, .base = decode(conditions, drawing, progress), .pictures = {}, .warnings = {}};
  result.pictures = result.base;
  for (size_t index = 0; result.pictures.size(2) < drawing.size; ++index) {
    result.pictures = upsample(result.pictures, index, conditions, drawing, progress);
  }
  return result;
}

torch::Tensor Unclip::decode(const Conditions& conditions, const Drawing& drawing, Progress& progress) {
  auto model = load_stage<decoder::Decoder, decoder::DecoderConfig>(directory_.stage("decoder"));
  model->set_compute_dtype(dtype_);
  decoder::DecoderSampling sampling = model->config().sampling;
  if (drawing.guidance) sampling.guidance = *drawing.guidance;
  if (drawing.steps) sampling.sampler.timesteps = *drawing.steps;
  if (drawing.sampler) sampling.sampler.kind = *drawing.sampler;
  if (drawing.eta) sampling.sampler.eta = *drawing.eta;
  const bool reads_text = model->config().text.source != decoder::TextSource::none;
  const nn::TextEncoding null_text = encode({""}, nullptr);
  const int64_t count = conditions.z_i.size(0);
  progress.begin("decoder", step_count(sampling.sampler, model->config().diffusion, count, kBatch));
  const torch::Tensor pictures = in_batches(count, kBatch, [&](int64_t first, int64_t last) {
    decoder::DrawingInput input{.z_i = conditions.z_i.slice(0, first, last), .text = {}, .null_text = {}};
    input.without_image = drawing.prior == PriorKind::none;
    if (reads_text) {
      input.text = part_of(conditions.text, first, last);
      input.null_text = null_text;
    }
    return decoder::sample(model, input, sampling,
                           hooks(part_of(conditions.seeds, first, last), "decoder", progress));
  });
  progress.end();
  return pictures;
}

torch::Tensor Unclip::upsample(const torch::Tensor& low,
                               size_t index,
                               const Conditions& conditions,
                               const Drawing& drawing,
                               Progress& progress) {
  const auto stages = upsampling_stages(directory_);
  const auto& [size, stage] = *std::next(stages.begin(), static_cast<std::ptrdiff_t>(index));
  auto model = load_stage<upsampler::Upsampler, upsampler::UpsamplerConfig>(directory_.stage(stage));
  model->set_compute_dtype(dtype_);
  diffusion::SamplerConfig sampler = model->config().sampler;
  if (index < drawing.upsampler_steps.size()) sampler.timesteps = drawing.upsampler_steps[index];
  if (drawing.upsampler_sampler) sampler.kind = *drawing.upsampler_sampler;
  const int64_t batch = std::max<int64_t>(1, kBatchPixels / (size * size));
  progress.begin("up-" + std::to_string(size),
                 step_count(sampler, model->config().diffusion, low.size(0), batch));
  const torch::Tensor pictures = in_batches(low.size(0), batch, [&](int64_t first, int64_t last) {
    return upsampler::sample(model, low.slice(0, first, last), sampler,
                             hooks(part_of(conditions.seeds, first, last), stage, progress));
  });
  progress.end();
  return pictures;
}

}  // namespace unclip::pipeline
