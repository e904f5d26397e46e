#include "unclip/eval/extractor.h"

#include "unclip/base/error.h"
#include "unclip/eval/inception.h"
#include "unclip/image/crop.h"
#include "unclip/image/network.h"
#include "unclip/image/resize.h"
#include "unclip/pipeline/model_directory.h"

namespace unclip::eval {
namespace fs = std::filesystem;
namespace {

class ClipExtractor final : public FeatureExtractor {
 public:
  ClipExtractor(const fs::path& folder, torch::ScalarType compute_dtype)
      : clip_(pipeline::load_frozen_clip(folder, compute_dtype)) {
    const pipeline::ModelDirectory directory(folder);
    name_ = join_text("CLIP of ", directory.manifest().name, " ", directory.manifest().version);
    const fs::path stage = directory.stage("clip");
    identity_ = join_text(file_identity(stage / "model.safetensors"), file_identity(stage / "config.json"),
                          c10::toString(compute_dtype));
  }
  std::string name() const override { return name_; }
  std::string identity() const override { return identity_; }
  int64_t width() const override { return clip_.model->config().embed_dim; }
  torch::Tensor prepare(const torch::Tensor& pixels) const override {
    const int64_t side = clip_.model->config().vision.image_size;
    const int64_t height = pixels.size(0), width = pixels.size(1), shorter = std::min(height, width);
    const torch::Tensor resized =
        image::resize(pixels, side * height / shorter, side * width / shorter, image::Filter::bicubic);
    return image::to_network(image::center_crop(resized, side, side));
  }
  torch::Tensor features(const torch::Tensor& inputs) const override { return clip_.encode_image(inputs); }
  const pipeline::FrozenClip* clip() const override { return &clip_; }

 private:
  pipeline::FrozenClip clip_;
  std::string name_, identity_;
};

class InceptionExtractor final : public FeatureExtractor {
 public:
  explicit InceptionExtractor(const fs::path& file)
      : model_(load_inception(file)), identity_("inception " + file_identity(file)) {}
  std::string name() const override { return "Inception pool3 of pytorch-fid"; }
  std::string identity() const override { return identity_; }
  int64_t width() const override { return kInceptionWidth; }
  torch::Tensor prepare(const torch::Tensor& pixels) const override {
    return at::upsample_bilinear2d(image::to_network(pixels), {kInceptionSize, kInceptionSize}, false);
  }
  torch::Tensor features(const torch::Tensor& inputs) const override {
    return Inception(model_)->forward(inputs);
  }

 private:
  Inception model_;
  std::string identity_;
};

}  // namespace

std::string file_identity(const fs::path& file) {
  std::error_code error;
  const auto size = fs::file_size(file, error);
  const auto changed = fs::last_write_time(file, error);
  check(!error, ErrorKind::io, file.string(), " cannot be read: ", error.message());
  return join_text(fs::absolute(file).lexically_normal().string(), '\n', size, '\n',
                   changed.time_since_epoch().count(), '\n');
}

std::unique_ptr<FeatureExtractor> open_extractor(const fs::path& path, torch::ScalarType compute_dtype) {
  if (fs::is_directory(path)) return std::make_unique<ClipExtractor>(path, compute_dtype);
  check(fs::exists(path), ErrorKind::io, "'", path.string(),
        "' does not exist: features come from a model directory or from Inception weights of pytorch-fid");
  return std::make_unique<InceptionExtractor>(path);
}

}  // namespace unclip::eval
