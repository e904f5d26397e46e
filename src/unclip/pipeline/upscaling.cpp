#include "unclip/pipeline/upscaling.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "unclip/image/network.h"
#include "unclip/image/resize.h"

namespace unclip::pipeline {
namespace {

constexpr int64_t kLongest = 4;        // times the shorter side
constexpr std::ptrdiff_t kDrawn = 16;  // pictures held as tensors at a time

/// The upsamplers' part of a plan.
Plan plan_of(const model::Model& model, SamplingOptions sampling) {
  check(!model.upsamplers.empty(), ErrorKind::checkpoint, "this model has no upsampler");
  sampling.prior = PriorKind::none;
  sampling.size = sampling.size.value_or(sizes(model).back());
  Plan plan = make_plan(model, sampling);
  check(!plan.upsamplers.empty(), ErrorKind::usage, "the result shall have ", *sampling.size,
        " pixels, where this model's upsamplers begin: ask for ", sizes(model)[1], " or more");
  return plan;
}

/// A picture on its way.
struct Enlargement {
  size_t index = 0;               // in the request
  torch::Tensor low;              // [1, 3, h, w], edges repeated until every UNet can halve its sides
  size_t first = 0;               // upsampler of the plan
  int64_t height = 0, width = 0;  // of the result
};

class Upscaler {
 public:
  Upscaler(const Unclip& model, const UpscaleRequest& request)
      : model_(model), request_(request), plan_(plan_of(model.model(), request.sampling)) {
    for (const UpsamplingPlan& upsampling : plan_.upsamplers)
      begins_.push_back(model.model().upsampler(upsampling.stage).net.config.low_size);
    check(!request.from || std::ranges::find(begins_, *request.from) != begins_.end(), ErrorKind::usage,
          "on the way to ", size(), " pixels an upsampler begins at ", names_of_begins(), ", not at ",
          request.from.value_or(0));
  }

  Enlargement enlargement(size_t index) {
    const torch::Tensor& picture = request_.pictures[index].pixels;
    const int64_t height = picture.size(0), width = picture.size(1), shorter = std::min(height, width);
    const std::string name = "'" + request_.pictures[index].name + "' of " + std::to_string(width) + " × " +
                             std::to_string(height) + " pixels";
    check(std::max(height, width) <= kLongest * shorter, ErrorKind::usage, name, " is more than ", kLongest,
          " times as long as it is wide: cut it into parts");
    Enlargement enlargement{.index = index, .low = {}, .first = beginning(shorter, name)};
    const int64_t from = begins_[enlargement.first];
    const auto scaled = [&](int64_t side, int64_t to) {
      return std::llround(static_cast<double>(side * to) / static_cast<double>(shorter));
    };
    const int64_t low_height = scaled(height, from), low_width = scaled(width, from);
    if (low_height != height || low_width != width)
      warnings_.push_back(name + " was reduced to " + std::to_string(low_width) + " × " +
                          std::to_string(low_height) + ", where an upsampler begins");
    enlargement.height = low_height * size() / from;
    enlargement.width = low_width * size() / from;
    enlargement.low =
        padded(image::to_network(image::resize(picture, low_height, low_width)), enlargement.first);
    return enlargement;
  }

  /// Pictures of one size together.
  void draw(const std::vector<Enlargement>& enlargements,
            std::vector<torch::Tensor>& results,
            Progress& progress) {
    std::vector<torch::Tensor> low;
    std::vector<uint64_t> seeds;
    for (const Enlargement& enlargement : enlargements) {
      low.push_back(enlargement.low);
      seeds.push_back(request_.seeds.at(enlargement.index));
    }
    Plan plan;
    plan.upsamplers.assign(plan_.upsamplers.begin() + static_cast<std::ptrdiff_t>(enlargements.front().first),
                           plan_.upsamplers.end());
    const torch::Tensor pixels =
        image::to_pixels(model_.enlarge(torch::cat(low), plan, SamplingNoise(seeds), progress));
    for (size_t i = 0; i < enlargements.size(); ++i) {
      const Enlargement& enlargement = enlargements[i];
      results[enlargement.index] = pixels[static_cast<int64_t>(i)]
                                       .narrow(0, 0, enlargement.height)
                                       .narrow(1, 0, enlargement.width)
                                       .contiguous();
    }
  }

  std::vector<std::string> warnings() const { return warnings_; }

 private:
  int64_t size() const { return plan_.upsamplers.back().size; }
  std::string names_of_begins() const {
    std::string names;
    for (const int64_t begin : begins_) names += (names.empty() ? "" : " or ") + std::to_string(begin);
    return names;
  }

  /// The upsampler that a picture enters at.
  size_t beginning(int64_t shorter, const std::string& name) const {
    check(shorter >= request_.from.value_or(begins_.front()), ErrorKind::usage, name,
          " is too small: its shorter side must have at least ", request_.from.value_or(begins_.front()));
    if (request_.from)
      return static_cast<size_t>(std::ranges::find(begins_, *request_.from) - begins_.begin());
    check(shorter < size(), ErrorKind::usage, name, " is not smaller than the ", size(),
          " that this model enlarges to: say from where it shall begin anew, from ", names_of_begins());
    const auto above = std::ranges::upper_bound(begins_, shorter);
    return static_cast<size_t>(above - begins_.begin()) - 1;
  }

  torch::Tensor padded(const torch::Tensor& low, size_t first) const {
    int64_t multiple = 1;  // of low's sides
    for (size_t i = first; i < plan_.upsamplers.size(); ++i) {
      const nn::UNetConfig& unet = model_.model().upsampler(plan_.upsamplers[i].stage).net.config.unet;
      const int64_t coarsest = unet.patch << (unet.channel_mult.size() - 1);
      multiple = std::lcm(multiple, coarsest / std::gcd(coarsest, unet.size / begins_[first]));
    }
    const auto missing = [&](int64_t side) { return (multiple - side % multiple) % multiple; };
    return at::replication_pad2d(low, {0, missing(low.size(3)), 0, missing(low.size(2))});
  }

  const Unclip& model_;
  const UpscaleRequest& request_;
  Plan plan_;
  std::vector<int64_t> begins_{};  // ascending, one per upsampler of the plan
  std::vector<std::string> warnings_{};
};

}  // namespace

Upscaled upscale(const Unclip& model, const UpscaleRequest& request, Progress& progress) {
  Upscaler upscaler(model, request);
  std::vector<Enlargement> enlargements;
  enlargements.reserve(request.pictures.size());
  for (size_t i = 0; i < request.pictures.size(); ++i) enlargements.push_back(upscaler.enlargement(i));
  std::vector<torch::Tensor> results(enlargements.size());
  const auto alike = [](const Enlargement& a, const Enlargement& b) {
    return a.first == b.first && a.low.sizes() == b.low.sizes();
  };
  while (!enlargements.empty()) {
    const Enlargement one = enlargements.front();
    const auto others = std::ranges::stable_partition(
        enlargements, [&](const Enlargement& enlargement) { return alike(enlargement, one); });
    const auto end = enlargements.begin() + std::min(kDrawn, others.begin() - enlargements.begin());
    upscaler.draw({enlargements.begin(), end}, results, progress);
    enlargements.erase(enlargements.begin(), end);
  }
  return {std::move(results), upscaler.warnings()};
}

}  // namespace unclip::pipeline
