#include "unclip/pipeline/unclip.h"

#include <algorithm>
#include <utility>

#include "unclip/base/runtime.h"
#include "unclip/image/crop.h"
#include "unclip/image/network.h"
#include "unclip/pipeline/batches.h"

namespace unclip::pipeline {
namespace {

constexpr int64_t kBatchPixels = 1 << 18;  // of the upsamplers: four pictures of 256²

DrawingNoise noise_of(const std::vector<uint64_t>& seeds, const std::filesystem::path& recording) {
  if (recording.empty()) return seeds;
  return DrawingNoise::recorded(recording, static_cast<int64_t>(seeds.size()));
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

Unclip::Unclip(const std::filesystem::path& model, torch::ScalarType dtype, UnclipOptions options)
    : model_(open_model(model, options.vocabulary)),
      dtype_(dtype),
      budget_(options.memory),
      tokenizer_(load_tokenizer(model_.text)) {
  if (budget_) pages_ = std::make_unique<PageReleaser>();
}

void Unclip::prepare_for(const Plan& plan) {
  check_files(model_, plan);
  if (!budget_) return;
  check_budget(model_, plan, dtype_, *budget_);
  needs_ = stage_needs(model_, plan, dtype_);
}

void Unclip::release_encoders() {
  if (!budget_) return;
  text_encoder_ = nullptr;
  image_encoder_ = nullptr;
}

void Unclip::finish_encoding() {
  if (budget_) encode_nothing(1);  // guidance needs it when the encoder is gone
  release_encoders();
}

void Unclip::end_stage(Progress& progress) const {
  if (budget_) progress.note(join_text("peak ", peak_memory() >> 20, " MiB"));
  progress.end();
}

int64_t Unclip::batch_of(const std::string& stage, int64_t usual) const {
  const auto need = std::ranges::find(needs_, stage, &StageNeed::stage);
  return budget_ && need != needs_.end() ? batch_within(*need, *budget_, usual) : usual;
}

bool Unclip::nets_take_turns(const std::string& stage) const {
  const auto need = std::ranges::find(needs_, stage, &StageNeed::stage);
  return budget_ && need != needs_.end() && kProgramBytes + need->both_nets + need->working > *budget_;
}

nn::TextEncoding Unclip::encode(const std::vector<std::string>& captions,
                                std::vector<std::string>* warnings) {
  const torch::NoGradGuard no_grad;
  if (text_encoder_.is_empty()) {
    const auto& stage = required(model_, model_.text_encoder, "text_encoder");
    text_encoder_ = load<clip::Clip>(stage, clip::Towers::text);
    text_encoder_->set_compute_dtype(dtype_);
  }
  const int64_t context = model_.text.context_length;
  const text::Tokens tokens = tokenizer_.tokenize(captions, context);
  for (size_t i = 0; warnings != nullptr && i < captions.size(); ++i) {
    if (tokens.truncated[i]) {
      warnings->push_back(join_text("the caption '", captions[i].substr(0, 40),
                                    "…' is longer than the model's ", context,
                                    " tokens: its end is not read"));
    }
  }
  return text_encoder_->encode_text(tokens.ids, tokens.mask);
}

nn::TextEncoding Unclip::encode_nothing(size_t count) {
  const auto encode_now = [&] {
    return encode(std::vector<std::string>(count, model_.text.null_caption), nullptr);
  };
  if (count != 1) return encode_now();
  if (!nothing_) nothing_ = encode_now();
  return *nothing_;
}

torch::Tensor Unclip::clip_input(const torch::Tensor& pixels) {
  if (model_.preprocessing) return image::preprocess(pixels, *model_.preprocessing);
  const int64_t side = std::min(pixels.size(0), pixels.size(1));
  const torch::Tensor square = image::to_network(image::center_crop(pixels, side, side));
  return clip::preprocess(square, image_encoder_->config().vision);
}

torch::Tensor Unclip::encode_images(const std::vector<torch::Tensor>& pictures) {
  const torch::NoGradGuard no_grad;
  if (image_encoder_.is_empty()) {
    const auto& stage = required(model_, model_.image_encoder, "image_encoder");
    image_encoder_ = load<clip::Clip>(stage, clip::Towers::image);
    image_encoder_->set_compute_dtype(dtype_);
  }
  return in_batches(static_cast<int64_t>(pictures.size()), kBatch, [&](int64_t first, int64_t last) {
    std::vector<torch::Tensor> inputs;
    for (int64_t i = first; i < last; ++i) {
      inputs.push_back(clip_input(pictures[static_cast<size_t>(i)]));
    }
    return image_encoder_->encode_image(torch::cat(inputs)).to(torch::kFloat32);
  });
}

Pictures Unclip::generate(const GenerateRequest& request, Progress& progress) {
  check(!request.captions.empty() && request.captions.size() == request.seeds.size(), ErrorKind::usage,
        "generate: got ", request.captions.size(), " captions and ", request.seeds.size(),
        " seeds, expected as many");
  Plan plan = make_plan(model_, request.drawing);
  const DrawingNoise noise = noise_of(request.seeds, request.recorded_noise);
  if (noise.is_recorded()) plan.decoder.candidates = 1;
  if (plan.prior && noise.is_recorded()) plan.prior->candidates = 1;
  prepare_for(plan);
  std::vector<std::string> warnings;
  const nn::TextEncoding text = encode(request.captions, &warnings);
  finish_encoding();
  const torch::Tensor z_i = draw_z_i(text, noise, plan, progress);
  const bool without_image = request.drawing.prior == PriorKind::none;
  Pictures result = draw_best({z_i, text, noise, without_image}, plan, progress);
  noise.check_all_used();
  result.warnings = std::move(warnings);
  return result;
}

Pictures Unclip::vary(const VaryRequest& request, Progress& progress) {
  Drawing drawing = request.drawing;
  drawing.prior = PriorKind::text;  // no prior: z_i is the picture's
  Plan plan = make_plan(model_, drawing);
  const DrawingNoise noise = noise_of(request.seeds, request.recorded_noise);
  if (noise.is_recorded()) plan.decoder.candidates = 1;
  prepare_for(plan);
  const auto count = static_cast<int64_t>(request.seeds.size());
  const torch::Tensor z_i = encode_images({request.picture}).expand({count, -1});
  release_encoders();
  const nn::TextEncoding nothing = encode_nothing(request.seeds.size());
  finish_encoding();
  Pictures result = draw_best({z_i, nothing, noise}, plan, progress);
  noise.check_all_used();
  return result;
}

torch::Tensor Unclip::draw_z_i(const nn::TextEncoding& text,
                               const DrawingNoise& noise,
                               const Plan& plan,
                               Progress& progress) {
  if (plan.prior) return draw_diffusion(text, noise, *plan.prior, progress);
  if (plan.ar_prior) return draw_autoregressive(text, noise, *plan.ar_prior, progress);
  return text.z_t.to(torch::kFloat32);  // z_t stands in for z_i, or nothing does (unCLIP §5.1)
}

torch::Tensor Unclip::draw_diffusion(const nn::TextEncoding& text,
                                     const DrawingNoise& noise,
                                     const prior::PriorSampling& sampling,
                                     Progress& progress) {
  auto model = load<prior::DiffusionPrior>(required(model_, model_.prior, "prior"));
  model->compute_dtype = dtype_;
  const nn::TextEncoding null_text = encode_nothing(1);
  const int64_t batch = batch_of("prior", kBatch);
  progress.begin("prior", step_count(sampling.sampler, model->config().diffusion, text.size(), batch));
  const torch::Tensor z_i = in_batches(text.size(), batch, [&](int64_t first, int64_t last) {
    return prior::sample(model, {nn::slice_text(text, first, last), null_text}, sampling,
                         hooks(noise.of("prior", first, last, sampling.candidates), progress));
  });
  end_stage(progress);
  return z_i;
}

torch::Tensor Unclip::draw_autoregressive(const nn::TextEncoding& text,
                                          const DrawingNoise& noise,
                                          const prior::CodeSampling& sampling,
                                          Progress& progress) {
  auto model = load<prior::AutoregressivePrior>(required(model_, model_.ar_prior, "ar_prior"));
  model->compute_dtype = dtype_;
  const nn::TextEncoding null_text = encode_nothing(1);
  progress.begin("ar-prior", model->components() * batch_count(text.size(), kBatch));
  const torch::Tensor z_i = in_batches(text.size(), kBatch, [&](int64_t first, int64_t last) {
    return prior::sample(model, {nn::slice_text(text, first, last), null_text}, sampling,
                         {.uniform = noise.uniforms("ar_prior", first, last, sampling.candidates),
                          .on_code = [&progress] { progress.advance(); }});
  });
  end_stage(progress);
  return z_i;
}

Pictures Unclip::draw(const Conditions& conditions, const Plan& plan, Progress& progress) {
  Pictures result{.z_i = conditions.z_i,
                  .base = decode(conditions, plan.decoder, progress),
                  .pictures = {},
                  .warnings = {}};
  result.pictures = enlarge(result.base, plan, conditions.noise, progress);
  return result;
}

Pictures Unclip::draw_best(const Conditions& c, const Plan& plan, Progress& progress) {
  const int64_t candidates = plan.decoder.candidates;
  if (candidates == 1) return draw(c, plan, progress);
  const Conditions several{.z_i = c.z_i.repeat_interleave(candidates, 0),
                           .text = nn::repeat_text(c.text, candidates),
                           .noise = c.noise.repeated(candidates),
                           .without_image = c.without_image};
  const torch::Tensor drawn = decode(several, plan.decoder, progress);
  Pictures result{.z_i = c.z_i,
                  .base = nearest_to(c.without_image ? c.text.z_t : c.z_i, drawn, candidates),
                  .pictures = {},
                  .warnings = {}};
  release_encoders();
  result.pictures = enlarge(result.base, plan, c.noise, progress);
  return result;
}

torch::Tensor Unclip::nearest_to(const torch::Tensor& z, const torch::Tensor& pictures, int64_t candidates) {
  const torch::Tensor pixels = image::to_pixels(pictures);
  std::vector<torch::Tensor> best;
  for (int64_t row = 0; row < z.size(0); ++row) {
    // One result at a time: what is chosen must not depend on how many there are.
    const int64_t first = row * candidates;
    const torch::Tensor seen = encode_images(pixels.slice(0, first, first + candidates).unbind());
    const torch::Tensor cosines = at::cosine_similarity(seen, z[row].to(torch::kFloat32).unsqueeze(0));
    best.push_back(pictures[first + cosines.argmax().item<int64_t>()]);
  }
  return torch::stack(best);
}

decoder::Decoder Unclip::load_decoder() {
  auto model = load<decoder::Decoder>(required(model_, model_.decoder, "decoder"));
  model->set_compute_dtype(dtype_);
  return model;
}

decoder::Decoder Unclip::load_inpainting_decoder() {
  auto model = load<decoder::Decoder>(required(model_, model_.decoder_inpaint, "decoder_inpaint"));
  model->set_compute_dtype(dtype_);
  return model;
}

upsampler::Upsampler Unclip::load_upsampler_net(const Stage<upsampler::UpsamplerConfig>& stage) {
  auto net = load<upsampler::Upsampler>(stage);
  net->set_compute_dtype(dtype_);
  return net;
}

upsampler::StepNets Unclip::load_upsampler(const std::string& name) {
  const UpsamplerStage& stage = model_.upsampler(name);
  upsampler::StepNets nets{.net = load_upsampler_net(stage.net)};
  if (!stage.last_step) return nets;
  if (nets_take_turns(name)) {
    nets.load_last_step = [this, &stage] { return load_upsampler_net(*stage.last_step); };
  } else {
    nets.last_step = load_upsampler_net(*stage.last_step);
  }
  return nets;
}

decoder::DrawingInput Unclip::drawing_input(decoder::Decoder& model,
                                            const Conditions& conditions,
                                            int64_t first,
                                            int64_t last) {
  decoder::DrawingInput input{.z_i = conditions.z_i.slice(0, first, last), .text = {}, .null_text = {}};
  input.without_image = conditions.without_image;
  if (model->config().text.source != decoder::TextSource::none) {
    input.text = nn::slice_text(conditions.text, first, last);
    input.null_text = encode_nothing(1);
  }
  return input;
}

torch::Tensor Unclip::decode(const Conditions& conditions,
                             const decoder::DecoderSampling& sampling,
                             Progress& progress) {
  decoder::Decoder model = load_decoder();
  const int64_t count = conditions.z_i.size(0);
  const int64_t batch = batch_of("decoder", kBatch);
  progress.begin("decoder", step_count(sampling.sampler, model->config().diffusion, count, batch));
  const torch::Tensor pictures = in_batches(count, batch, [&](int64_t first, int64_t last) {
    return decoder::sample(model, drawing_input(model, conditions, first, last), sampling,
                           hooks(conditions.noise.of("decoder", first, last), progress));
  });
  end_stage(progress);
  return pictures;
}

torch::Tensor Unclip::enlarge(torch::Tensor pictures,
                              const Plan& plan,
                              const DrawingNoise& noise,
                              Progress& progress) {
  for (const UpsamplingPlan& upsampling : plan.upsamplers)
    pictures = upsample(pictures, upsampling, noise, progress);
  return pictures;
}

torch::Tensor Unclip::upsample(const torch::Tensor& low,
                               const UpsamplingPlan& plan,
                               const DrawingNoise& noise,
                               Progress& progress) {
  const upsampler::UpsamplerConfig& config = model_.upsampler(plan.stage).net.config;
  const int64_t usual = std::max<int64_t>(1, kBatchPixels / (plan.size * plan.size));
  const int64_t batch = batch_of(plan.stage, usual);
  upsampler::StepNets nets = load_upsampler(plan.stage);
  progress.begin("up-" + std::to_string(plan.size),
                 step_count(plan.sampler, config.diffusion, low.size(0), batch));
  const torch::Tensor pictures = in_batches(low.size(0), batch, [&](int64_t first, int64_t last) {
    const bool take_turns = nets.load_last_step != nullptr;
    if (first > 0 && take_turns) nets = load_upsampler(plan.stage);
    return upsampler::sample(take_turns ? std::exchange(nets, {}) : nets, low.slice(0, first, last),
                             plan.sampler, hooks(noise.of(plan.stage, first, last), progress));
  });
  end_stage(progress);
  return pictures;
}

}  // namespace unclip::pipeline
