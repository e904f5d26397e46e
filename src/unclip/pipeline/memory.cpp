#include "unclip/pipeline/memory.h"

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>

#include "unclip/decoder/decoder.h"
#include "unclip/prior/autoregressive_prior.h"
#include "unclip/prior/diffusion_prior.h"
#include "unclip/upsampler/upsampler.h"

namespace unclip::pipeline {
namespace {

// Often while layers pack new weights, then seldom: to look for pages takes its time, too.
constexpr auto kOften = std::chrono::milliseconds(20), kSeldom = std::chrono::milliseconds(250);
constexpr int64_t kSequenceBytes = int64_t{96} << 20;  // of transformers, whose sequences are short
/// Beside the packed weights: what is joined from several tensors, norms, pages that are just being read.
/// Measured with Karlo's prior, a quarter of which is joined: 1.45 times its weights.
constexpr double kBesidePacked = 1.5;

int64_t size_of(torch::ScalarType dtype) { return static_cast<int64_t>(torch::elementSize(dtype)); }

/// Numbers that a UNet holds at a time for one picture: what the way down keeps for the way up, and around
/// the widest block three times its input (the way up joins two maps).
int64_t unet_numbers(const nn::UNetConfig& c) {
  const auto levels = static_cast<int64_t>(c.channel_mult.size());
  int64_t kept = 0, widest = 0;
  for (int64_t level = 0; level < levels; ++level) {
    const int64_t side = c.size / c.patch >> level, pixels = side * side;
    const int64_t width = c.level_channels(static_cast<size_t>(level));
    const int64_t below = c.level_channels(static_cast<size_t>(std::min(level + 1, levels - 1)));
    kept += (c.depth + 1) * width * pixels;
    widest = std::max(widest, (below + 2 * width) * pixels);
  }
  return kept + 3 * widest + 3 * c.fine_channels * c.size * c.size;
}

StageNeed upsampler_need(const model::Model& model, const UpsamplingPlan& plan, torch::ScalarType dtype) {
  const model::StoredUpsampler& stage = model.upsampler(plan.stage);
  StageNeed need{.stage = plan.stage, .working = unet_numbers(stage.net.config.unet) * size_of(dtype)};
  need.weights = need.both_nets = weight_bytes<upsampler::Upsampler>(stage.net.config, dtype);
  if (stage.last_step) {
    const int64_t last = weight_bytes<upsampler::Upsampler>(stage.last_step->config, dtype);
    need.both_nets += last;
    need.weights = std::max(need.weights, last);
  }
  return need;
}

std::string amount(int64_t bytes) {
  constexpr double kMebi = 1 << 20, kGibi = 1 << 30;
  const auto number = static_cast<double>(bytes);
  char text[32];
  if (number < kGibi) {
    std::snprintf(text, sizeof text, "%.0f MiB", number / kMebi);
  } else {
    std::snprintf(text, sizeof text, "%.1f GiB", number / kGibi);
  }
  return text;
}

const StageNeed& largest(const std::vector<StageNeed>& needs) {
  return *std::ranges::max_element(needs, {}, &StageNeed::least);
}

/// Of the whole pages in these bytes of a mapped file.
void release_pages(const void* data, size_t size) {
  static const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const uintptr_t begin = reinterpret_cast<uintptr_t>(data);
  const uintptr_t first = (begin + page - 1) / page * page, last = (begin + size) / page * page;
  if (first < last) ::madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

}  // namespace

int64_t stored_bytes(const torch::nn::Module& module, torch::ScalarType dtype) {
  return std::llround(kBesidePacked * static_cast<double>(nn::count_parameters(module) * size_of(dtype)));
}

void return_free_memory() { ::malloc_trim(0); }

std::vector<StageNeed> stage_needs(const model::Model& model, const Plan& plan, torch::ScalarType dtype) {
  std::vector<StageNeed> needs;
  const auto add = [&needs](const char* stage, int64_t weights, int64_t working) {
    needs.push_back({.stage = stage, .weights = weights, .both_nets = weights, .working = working});
  };
  if (model.text_encoder) {
    add("text_encoder", weight_bytes<clip::Clip>(model.text_encoder->config, dtype, clip::Towers::text),
        kSequenceBytes);
  }
  if (plan.prior)
    add("prior", weight_bytes<prior::DiffusionPrior>(model.prior->config, dtype), kSequenceBytes);
  if (plan.ar_prior)
    add("ar_prior", weight_bytes<prior::AutoregressivePrior>(model.ar_prior->config, dtype), kSequenceBytes);
  if (model.decoder) {
    const decoder::DecoderConfig& config = model.decoder->config;
    const int64_t guided = plan.decoder.guidance == 1.0 ? 1 : 2;
    add("decoder", weight_bytes<decoder::Decoder>(config, dtype),
        guided * unet_numbers(config.unet) * size_of(dtype));
  }
  if (plan.decoder.candidates > 1) {
    add("image_encoder", weight_bytes<clip::Clip>(model.image_encoder->config, dtype, clip::Towers::image),
        kSequenceBytes);
  }
  for (const UpsamplingPlan& upsampling : plan.upsamplers)
    needs.push_back(upsampler_need(model, upsampling, dtype));
  return needs;
}

void check_budget(const model::Model& model, const Plan& plan, torch::ScalarType dtype, int64_t budget) {
  const auto needs = stage_needs(model, plan, dtype);
  const StageNeed& need = largest(needs);
  if (need.least() <= budget) return;
  const auto least_in = [&](torch::ScalarType type) {
    const auto others = stage_needs(model, plan, type);
    return amount(largest(others).least());
  };
  fail(ErrorKind::usage, "a budget of ", amount(budget), " is too small: the largest stage, ", need.stage,
       ", needs ", least_in(torch::kFloat32), " in float32 and ", least_in(torch::kBFloat16),
       " in bfloat16; raise --memory", dtype == torch::kFloat32 ? " or choose --dtype bf16" : "");
}

int64_t batch_within(const StageNeed& need, int64_t budget, int64_t usual) {
  const int64_t room = budget - kProgramBytes - need.weights;
  return std::clamp<int64_t>(room / std::max<int64_t>(1, need.working), 1, usual);
}

void fit_to_budget(const model::Model& model, torch::ScalarType dtype, int64_t budget, Plan& plan) {
  check_budget(model, plan, dtype, budget);
  const std::vector<StageNeed> needs = stage_needs(model, plan, dtype);
  const auto need_of = [&](const std::string& stage) {
    return std::ranges::find(needs, stage, &StageNeed::stage);
  };
  if (plan.prior) plan.prior_batch = batch_within(*need_of("prior"), budget, plan.prior_batch);
  plan.decoder_batch = batch_within(*need_of("decoder"), budget, plan.decoder_batch);
  for (UpsamplingPlan& upsampling : plan.upsamplers) {
    const StageNeed& need = *need_of(upsampling.stage);
    upsampling.batch = batch_within(need, budget, upsampling.batch);
    upsampling.nets_in_turn = kProgramBytes + need.both_nets + need.working > budget;
  }
}

PageReleaser::PageReleaser()
    : thread_([this](const std::stop_token& stop) {
        auto pause = kOften;
        size_t known = 0;
        std::unique_lock lock(mutex_);
        while (!stop.stop_requested()) {
          pause = weights_.size() == known ? std::min(pause + pause / 8, kSeldom) : kOften;
          known = weights_.size();
          lock.unlock();
          release();
          lock.lock();
          wake_.wait_for(lock, stop, pause, [] { return false; });
        }
      }) {}

PageReleaser::~PageReleaser() {
  thread_.request_stop();
  wake_.notify_all();
}

void PageReleaser::add(const std::vector<torch::Tensor>& weights) {
  const std::lock_guard lock(mutex_);
  for (const torch::Tensor& tensor : weights) weights_.emplace_back(tensor.storage().getWeakStorageImpl());
}

void PageReleaser::release() {
  const std::lock_guard lock(mutex_);
  std::erase_if(weights_, [](const auto& weight) { return weight.expired(); });
  for (const auto& known : weights_) {
    if (const auto weight = known.lock()) release_pages(weight->data(), weight->nbytes());
  }
}

}  // namespace unclip::pipeline
