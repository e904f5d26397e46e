#include "unclip/eval/extractor.h"

#include <algorithm>
#include <numeric>

#include "unclip/base/error.h"
#include "unclip/eval/inception.h"
#include "unclip/image/network.h"

namespace unclip::eval {
namespace fs = std::filesystem;
namespace {

/// "CLIP of emoji 1" for our own models, "CLIP (OpenAI) ViT-L-14" for others.
std::string name_of(const model::Model& model) {
  const model::Manifest& manifest = model.manifest;
  if (!manifest.version.empty()) return join_text("CLIP of ", manifest.name, " ", manifest.version);
  const fs::path& path = model.path;
  const fs::path named = fs::absolute(path / "").lexically_normal().parent_path();
  return join_text(model.kind, " ",
                   fs::is_regular_file(path) ? path.stem().string() : named.filename().string());
}

/// The folder, or the one file, that the towers' weights lie in.
std::string identity_of(const model::Model& model) {
  const fs::path weights = model::file_of(model.image_encoder->weights.sources.front());
  return fs::is_regular_file(model.path) ? file_identity(weights) : folder_identity(weights.parent_path());
}

model::Model open_both_towers(const fs::path& path, const fs::path& vocabulary) {
  model::Model model = model::open_model(path, vocabulary);
  check(model.text_encoder && model.image_encoder, ErrorKind::checkpoint, "'", path.string(),
        "' holds one tower of a CLIP: name the folder of the whole model");
  return model;
}

class ClipExtractor final : public FeatureExtractor {
 public:
  ClipExtractor(model::Model model, torch::ScalarType compute_dtype)
      : name_(name_of(model)),
        identity_(join_text(identity_of(model), c10::toString(compute_dtype))),
        clip_(std::make_shared<pipeline::Networks>(std::move(model),
                                                   pipeline::NetworksOptions{.dtype = compute_dtype})) {}
  std::string name() const override { return name_; }
  std::string identity() const override { return identity_; }
  int64_t width() const override { return clip_.image_config().embed_dim; }
  torch::Tensor prepare(const torch::Tensor& pixels) const override { return clip_.prepare(pixels); }
  torch::Tensor features(const torch::Tensor& inputs) const override { return clip_.embed_prepared(inputs); }
  const pipeline::ClipEncoder* clip() const override { return &clip_; }

 private:
  std::string name_, identity_;
  pipeline::ClipEncoder clip_;
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

std::string folder_identity(const fs::path& folder) {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(file_identity(entry.path()));
  }
  std::ranges::sort(files);
  return std::accumulate(files.begin(), files.end(), std::string());
}

std::unique_ptr<FeatureExtractor> open_extractor(const fs::path& path,
                                                 const fs::path& vocabulary,
                                                 torch::ScalarType compute_dtype) {
  check(fs::exists(path), ErrorKind::io, "'", path.string(),
        "' does not exist: features come from a CLIP or from Inception weights of pytorch-fid");
  if (fs::is_regular_file(path) && is_inception(path)) return std::make_unique<InceptionExtractor>(path);
  return std::make_unique<ClipExtractor>(open_both_towers(path, vocabulary), compute_dtype);
}

}  // namespace unclip::eval
