#include "unclip/pipeline/unclip.h"

#include <algorithm>

#include "unclip/image/crop.h"
#include "unclip/image/network.h"
#include "unclip/pipeline/batches.h"

namespace unclip::pipeline {
namespace {

constexpr int64_t kBatchPixels = 1 << 18;  // of the upsamplers: four pictures of 256²

/// Steps of the whole stage, for the progress bar.
int64_t step_count(const diffusion::SamplerConfig& sampler,
                   const diffusion::DiffusionConfig& config,
                   int64_t count,
                   int64_t batch) {
  const auto steps = diffusion::trajectory(sampler, diffusion::NoiseSchedule(config.schedule)).steps.size();
  return static_cast<int64_t>(steps) * batch_count(count, batch);
}

}  // namespace

Unclip::Unclip(const std::filesystem::path& model, torch::ScalarType dtype)
    : directory_(model), dtype_(dtype), tokenizer_(text::Tokenizer::load(directory_.tokenizer())) {}

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

Pictures Unclip::generate(const GenerateRequest& request, Progress& progress) {
  check(!request.captions.empty() && request.captions.size() == request.seeds.size(), ErrorKind::usage,
        "generate: got ", request.captions.size(), " captions and ", request.seeds.size(),
        " seeds, expected as many");
  const Plan plan = make_plan(directory_, request.drawing);
  std::vector<std::string> warnings;
  const nn::TextEncoding text = encode(request.captions, &warnings);
  // Without the prior z_t stands in for z_i, or nothing does (unCLIP §5.1).
  const torch::Tensor z_i =
      plan.prior ? draw_z_i(text, request.seeds, *plan.prior, progress) : text.z_t.to(torch::kFloat32);
  const bool without_image = request.drawing.prior == PriorKind::none;
  Pictures result = draw({z_i, text, request.seeds, without_image}, plan, progress);
  result.warnings = std::move(warnings);
  return result;
}

torch::Tensor Unclip::encode_images(const std::vector<torch::Tensor>& pictures) {
  const torch::NoGradGuard no_grad;
  return in_batches(static_cast<int64_t>(pictures.size()), kBatch, [&](int64_t first, int64_t last) {
    std::vector<torch::Tensor> inputs;
    for (int64_t i = first; i < last; ++i) {
      const torch::Tensor& pixels = pictures[static_cast<size_t>(i)];
      const int64_t side = std::min(pixels.size(0), pixels.size(1));
      const torch::Tensor square = image::to_network(image::center_crop(pixels, side, side));
      inputs.push_back(clip::preprocess(square, clip()->config().vision));
    }
    return clip()->encode_image(torch::cat(inputs)).to(torch::kFloat32);
  });
}

Pictures Unclip::vary(const VaryRequest& request, Progress& progress) {
  Drawing drawing = request.drawing;
  drawing.prior = PriorKind::text;  // no prior: z_i is the picture's
  const Plan plan = make_plan(directory_, drawing);
  const auto count = static_cast<int64_t>(request.seeds.size());
  const torch::Tensor z_i = encode_images({request.picture}).expand({count, -1});
  const nn::TextEncoding text = encode(std::vector<std::string>(request.seeds.size()), nullptr);
  return draw({z_i, text, request.seeds}, plan, progress);
}

torch::Tensor Unclip::draw_z_i(const nn::TextEncoding& text,
                               const std::vector<uint64_t>& seeds,
                               const prior::PriorSampling& sampling,
                               Progress& progress) {
  auto model = load_stage<prior::DiffusionPrior, prior::DiffusionPriorConfig>(directory_.stage("prior"));
  model->compute_dtype = dtype_;
  const nn::TextEncoding null_text = encode({""}, nullptr);
  progress.begin("prior", step_count(sampling.sampler, model->config().diffusion, text.size(), kBatch));
  const torch::Tensor z_i = in_batches(text.size(), kBatch, [&](int64_t first, int64_t last) {
    std::vector<uint64_t> candidate_seeds;  // candidate c of a picture has a seed of its own
    for (const uint64_t seed : part_of(seeds, first, last)) {
      for (int64_t c = 0; c < sampling.candidates; ++c)
        candidate_seeds.push_back(seed + static_cast<uint64_t>(c) * 0x9E3779B97F4A7C15ULL);
    }
    return prior::sample(model, {part_of(text, first, last), null_text}, sampling,
                         hooks(candidate_seeds, "prior", progress));
  });
  progress.end();
  return z_i;
}

Pictures Unclip::draw(const Conditions& conditions, const Plan& plan, Progress& progress) {
  Pictures result{.z_i = conditions.z_i,
                  .base = decode(conditions, plan.decoder, progress),
                  .pictures = {},
                  .warnings = {}};
  result.pictures = enlarge(result.base, plan, conditions.seeds, progress);
  return result;
}

torch::Tensor Unclip::enlarge(torch::Tensor pictures,
                              const Plan& plan,
                              const std::vector<uint64_t>& seeds,
                              Progress& progress) {
  for (const UpsamplingPlan& upsampling : plan.upsamplers)
    pictures = upsample(pictures, upsampling, seeds, progress);
  return pictures;
}

decoder::Decoder Unclip::load_decoder(const std::string& stage) {
  auto model = load_stage<decoder::Decoder, decoder::DecoderConfig>(directory_.stage(stage));
  model->set_compute_dtype(dtype_);
  return model;
}

upsampler::Upsampler Unclip::load_upsampler(const std::string& stage) {
  auto model = load_stage<upsampler::Upsampler, upsampler::UpsamplerConfig>(directory_.stage(stage));
  model->set_compute_dtype(dtype_);
  return model;
}

decoder::DrawingInput Unclip::drawing_input(decoder::Decoder& model,
                                            const Conditions& conditions,
                                            int64_t first,
                                            int64_t last) {
  decoder::DrawingInput input{.z_i = conditions.z_i.slice(0, first, last), .text = {}, .null_text = {}};
  input.without_image = conditions.without_image;
  if (model->config().text.source != decoder::TextSource::none) {
    input.text = part_of(conditions.text, first, last);
    input.null_text = encode({""}, nullptr);
  }
  return input;
}

torch::Tensor Unclip::decode(const Conditions& conditions,
                             const decoder::DecoderSampling& sampling,
                             Progress& progress) {
  decoder::Decoder model = load_decoder();
  const int64_t count = conditions.z_i.size(0);
  progress.begin("decoder", step_count(sampling.sampler, model->config().diffusion, count, kBatch));
  const torch::Tensor pictures = in_batches(count, kBatch, [&](int64_t first, int64_t last) {
    const decoder::DrawingInput input = drawing_input(model, conditions, first, last);
    return decoder::sample(model, input, sampling,
                           hooks(part_of(conditions.seeds, first, last), "decoder", progress));
  });
  progress.end();
  return pictures;
}

torch::Tensor Unclip::upsample(const torch::Tensor& low,
                               const UpsamplingPlan& plan,
                               const std::vector<uint64_t>& seeds,
                               Progress& progress) {
  upsampler::Upsampler model = load_upsampler(plan.stage);
  const int64_t batch = std::max<int64_t>(1, kBatchPixels / (plan.size * plan.size));
  progress.begin("up-" + std::to_string(plan.size),
                 step_count(plan.sampler, model->config().diffusion, low.size(0), batch));
  const torch::Tensor pictures = in_batches(low.size(0), batch, [&](int64_t first, int64_t last) {
    return upsampler::sample(model, low.slice(0, first, last), plan.sampler,
                             hooks(part_of(seeds, first, last), plan.stage, progress));
  });
  progress.end();
  return pictures;
}

}  // namespace unclip::pipeline
