#include "unclip/pipeline/inpainting.h"

#include "unclip/diffusion/timesteps.h"
#include "unclip/image/crop.h"
#include "unclip/image/decode.h"
#include "unclip/image/network.h"
#include "unclip/image/resize.h"
#include "unclip/manipulate/mask.h"
#include "unclip/pipeline/batches.h"

namespace unclip::pipeline {
namespace {

constexpr const char* kDefaultSteps = "50";

/// The whole canvas at a network's size. Averages of whole pixels, so that no known pixel sees what the mask
/// hides.
manipulate::KnownPixels known_pixels(const manipulate::Canvas& canvas, int64_t size) {
  const auto filter = canvas.pixels.size(0) >= size ? image::Filter::box : image::Filter::bicubic;
  return {image::to_network(image::resize(canvas.pixels, size, size, filter)),
          manipulate::resize_mask(canvas.mask, size)};
}

bool uses_finetuned(const Unclip& model, InpaintMethod method) {
  return method == InpaintMethod::finetuned ||
         (method == InpaintMethod::best && model.model().decoder_inpaint.has_value());
}

/// One way down: the timesteps where the network still sees a signal, see manipulate::trajectory.
diffusion::Trajectory way_down(const diffusion::ScheduleConfig& config, const std::string& timesteps) {
  const diffusion::NoiseSchedule schedule(config);
  try {
    return {schedule, diffusion::sampling_steps(diffusion::parse_timesteps(
                          timesteps, schedule, diffusion::solvable_timesteps(schedule)))};
  } catch (const Error& error) {
    fail(ErrorKind::usage, "the decoder's steps: ", error.what());
  }
}

/// Everything that the results are drawn from.
struct Task {
  const Unclip& model;
  const InpaintRequest& request;
  manipulate::Canvas canvas;
  Unclip::Conditions conditions;
  Progress& progress;

  int64_t count() const { return static_cast<int64_t>(request.seeds.size()); }
};

torch::Tensor repaint(const diffusion::Denoiser& denoise,
                      const manipulate::KnownPixels& known,
                      const manipulate::InpaintWalk& walk,
                      int64_t count,
                      const diffusion::SamplingHooks& hooks) {
  const torch::NoGradGuard no_grad;
  const torch::Tensor like = known.x_0.expand({count, -1, -1, -1});
  return manipulate::inpaint(denoise, known, hooks.noise(like, kInitialNoise), walk, hooks).clamp(-1, 1);
}

torch::Tensor repaint_base(const Task& task, double guidance) {
  const bool finetuned = uses_finetuned(task.model, task.request.method);
  Networks& networks = task.model.networks();
  decoder::Decoder decoder = finetuned ? networks.inpainting_decoder() : networks.decoder();
  const auto& config = decoder->config();
  const manipulate::KnownPixels known = known_pixels(task.canvas, config.unet.size);
  manipulate::InpaintOptions options = task.request.options;
  if (finetuned) options.resamplings = 1;  // it knows the surroundings without going back
  const manipulate::InpaintWalk walk = manipulate::inpainting_walk(
      way_down(config.diffusion.schedule, task.request.sampling.steps.value_or(kDefaultSteps)), options);
  const auto steps = static_cast<int64_t>(walk.steps.steps.size());
  task.progress.begin("decoder", steps * batch_count(task.count(), kBatch));
  torch::Tensor result = in_batches(task.count(), kBatch, [&](int64_t first, int64_t last) {
    auto input = task.model.sample_input(task.conditions, first, last);
    if (finetuned)
      input.surroundings = decoder::surroundings(known.x_0.expand({last - first, -1, -1, -1}), known.repaint);
    return repaint(decoder::guided_denoiser(decoder, input, guidance), known, walk, last - first,
                   hooks(part_of(task.request.seeds, first, last), "decoder", task.progress));
  });
  task.progress.end();
  return result;
}

torch::Tensor repaint_larger(const Task& task, const torch::Tensor& low, const UpsamplingPlan& plan) {
  const upsampler::StepNets nets = task.model.networks().upsampler(plan.stage);
  const manipulate::KnownPixels known = known_pixels(task.canvas, plan.size);
  manipulate::InpaintWalk walk{
      .steps = diffusion::trajectory(plan.sampler,
                                     diffusion::NoiseSchedule(nets.net->config().diffusion.schedule)),
      .eta = 0};
  task.progress.begin("up-" + std::to_string(plan.size),
                      static_cast<int64_t>(walk.steps.steps.size()) * task.count());
  torch::Tensor result = in_batches(task.count(), 1, [&](int64_t first, int64_t last) {
    const torch::Tensor enlarged = nets.net->enlarge(low.slice(0, first, last), plan.size, plan.size);
    return repaint(upsampler::denoiser(nets, plan.sampler, enlarged), known, walk, last - first,
                   hooks(part_of(task.request.seeds, first, last), plan.stage, task.progress));
  });
  task.progress.end();
  return result;
}

/// A drawn square as a picture of the original's size with the original's known pixels.
torch::Tensor place(const torch::Tensor& drawn,
                    const manipulate::Canvas& canvas,
                    const InpaintRequest& request) {
  const int64_t side = canvas.pixels.size(0);
  const torch::Tensor square = image::resize(drawn, side, side, image::Filter::bicubic);
  return manipulate::compose(request.picture,
                             image::crop(square, canvas.top, canvas.left, canvas.height, canvas.width),
                             request.mask);
}

}  // namespace

Inpainted inpaint(const Unclip& model, const InpaintRequest& request, Progress& progress) {
  const Plan plan = model.plan(request.sampling);
  Task task{.model = model,
            .request = request,
            .canvas = manipulate::make_canvas(image::flatten_on(request.picture), request.mask),
            .conditions = {},
            .progress = progress};
  Inpainted result;
  const nn::TextEncoding text = nn::repeat_text(
      model.clip().encode_text(std::span(&request.caption, 1), &result.warnings), task.count());
  const torch::Tensor z_i = model.draw_z_i(text, request.seeds, plan, progress);
  task.conditions = {z_i, text, request.seeds, request.sampling.prior == PriorKind::none};
  torch::Tensor drawn = repaint_base(task, plan.decoder.guidance);
  for (const UpsamplingPlan& upsampling : plan.upsamplers) drawn = repaint_larger(task, drawn, upsampling);
  for (const torch::Tensor& pixels : image::to_pixels(drawn).unbind(0))
    result.pictures.push_back(place(pixels, task.canvas, request));
  return result;
}

}  // namespace unclip::pipeline
