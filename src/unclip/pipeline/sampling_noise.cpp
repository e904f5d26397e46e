#include "unclip/pipeline/sampling_noise.h"

#include <algorithm>
#include <set>

#include "unclip/base/error.h"
#include "unclip/io/safetensors.h"
#include "unclip/io/state.h"
#include "unclip/prior/candidates.h"

namespace unclip::pipeline {

/// A file of noise, and what was taken from it.
class RecordedNoise : public std::enable_shared_from_this<RecordedNoise> {
 public:
  RecordedNoise(const std::filesystem::path& file, int64_t pictures);
  NoiseSource of(const std::string& stage, int64_t first);
  void check_all_used() const;

 private:
  size_t order_of(const std::string& stage);
  std::string name_of(const std::string& stage, size_t order, int64_t step) const;
  torch::Tensor rows(const std::string& name, const torch::Tensor& like, int64_t first);

  std::string where_;
  int64_t pictures_;
  io::NamedTensors tensors_;
  std::vector<std::string> stages_;  // as they began
  std::set<std::string> used_;
};

RecordedNoise::RecordedNoise(const std::filesystem::path& file, int64_t pictures)
    : where_(file.string()), pictures_(pictures) {
  for (auto& [name, tensor] : io::SafetensorsFile(file).tensors()) {
    if (name.starts_with("noise.")) tensors_.emplace(name, tensor);
  }
  check(!tensors_.empty(), ErrorKind::data, where_, " holds no tensors called noise.*");
}

size_t RecordedNoise::order_of(const std::string& stage) {
  const auto found = std::ranges::find(stages_, stage);
  const auto order = static_cast<size_t>(found - stages_.begin());
  if (found == stages_.end()) stages_.push_back(stage);
  return order;
}

std::string RecordedNoise::name_of(const std::string& stage, size_t order, int64_t step) const {
  if (step == kInitialNoise) return "noise.init" + std::to_string(order);
  const auto is_upsampler = [](const std::string& name) { return name.starts_with("upsampler_"); };
  std::string recorded = stage;
  if (is_upsampler(stage)) {
    const auto begun =
        std::count_if(stages_.begin(), stages_.begin() + static_cast<std::ptrdiff_t>(order), is_upsampler);
    recorded = begun == 0 ? "super_res" : "super_res" + std::to_string(begun + 1);
  }
  return "noise." + recorded + ".step" + std::to_string(step);
}

torch::Tensor RecordedNoise::rows(const std::string& name, const torch::Tensor& like, int64_t first) {
  const auto found = tensors_.find(name);
  check(found != tensors_.end(), ErrorKind::data, where_, " has no tensor '", name,
        "', which this drawing needs: steps, sizes and sampler must be those of the recording");
  const torch::Tensor& tensor = found->second;
  std::vector<int64_t> expected = like.sizes().vec();
  expected.front() = pictures_;
  check(tensor.is_floating_point() && tensor.sizes() == torch::IntArrayRef(expected), ErrorKind::data, where_,
        ": '", name, "' is ", tensor.scalar_type(), " ", tensor.sizes(), ", expected floating point ",
        torch::IntArrayRef(expected));
  used_.insert(name);
  return tensor.slice(0, first, first + like.size(0)).to(like.scalar_type());
}

NoiseSource RecordedNoise::of(const std::string& stage, int64_t first) {
  return [self = shared_from_this(), stage, order = order_of(stage), first](const torch::Tensor& like,
                                                                            int64_t step) {
    return self->rows(self->name_of(stage, order, step), like, first);
  };
}

void RecordedNoise::check_all_used() const {
  std::vector<std::string> unused;
  for (const auto& [name, tensor] : tensors_) {
    if (!used_.contains(name)) unused.push_back(name);
  }
  check(unused.empty(), ErrorKind::data, where_,
        " holds noise that this drawing did not use: ", io::list_names(unused),
        "; steps, sizes and sampler must be those of the recording");
}

SamplingNoise::SamplingNoise(std::vector<uint64_t> seeds) : seeds_(std::move(seeds)) {}

SamplingNoise SamplingNoise::recorded(const std::filesystem::path& file, int64_t pictures) {
  SamplingNoise noise(std::vector<uint64_t>{});
  noise.recording_ = std::make_shared<RecordedNoise>(file, pictures);
  return noise;
}

SamplingNoise SamplingNoise::repeated(int64_t copies) const {
  check(!recording_, ErrorKind::usage, "a recording has noise for one picture of each, not for ", copies);
  return prior::candidate_seeds(seeds_, copies);
}

NoiseSource SamplingNoise::of(const std::string& stage, int64_t first, int64_t last, int64_t copies) const {
  if (recording_) {
    check(copies == 1, ErrorKind::config, "recorded noise is for one candidate per picture, got ", copies);
    return recording_->of(stage, first);
  }
  return picture_noise(seeds_of(first, last, copies), stage);
}

NoiseSource SamplingNoise::uniforms(const std::string& stage,
                                    int64_t first,
                                    int64_t last,
                                    int64_t copies) const {
  check(!recording_, ErrorKind::usage, "recorded noise is Gaussian, but the stage '", stage,
        "' draws codes: use --prior diffusion");
  return picture_uniforms(seeds_of(first, last, copies), stage);
}

std::vector<uint64_t> SamplingNoise::seeds_of(int64_t first, int64_t last, int64_t copies) const {
  return prior::candidate_seeds({seeds_.begin() + first, seeds_.begin() + last}, copies);
}

void SamplingNoise::check_all_used() const {
  if (recording_) recording_->check_all_used();
}

}  // namespace unclip::pipeline
