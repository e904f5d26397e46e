#include "unclip/pipeline/clip_encoder.h"

#include <cmath>

#include "unclip/image/decode.h"
#include "unclip/model/weights.h"
#include "unclip/pipeline/batches.h"

namespace unclip::pipeline {
namespace {

void check_input(size_t count, int64_t batch) {
  check(count > 0 && batch > 0, ErrorKind::usage, "nothing to embed: got ", count, " inputs in batches of ",
        batch);
}

/// A CLIP of which only a half was named.
bool is_one_tower(const model::Model& model) {
  return !model.decoder && model.text_encoder.has_value() != model.image_encoder.has_value();
}

}  // namespace

struct ClipEncoder::Texts {
  std::mutex mutex;  // of both
  std::optional<text::Tokenizer> tokenizer;
  std::optional<nn::TextEncoding> nothing;
};

ClipEncoder::ClipEncoder(std::shared_ptr<Networks> networks)
    : networks_(std::move(networks)), texts_(std::make_shared<Texts>()) {}

const clip::ClipConfig& ClipEncoder::text_config() const {
  check(model().text_encoder || !is_one_tower(model()), ErrorKind::checkpoint, "'", model().path.string(),
        "' holds CLIP's image tower only, which reads no captions");
  return model::required(model(), model().text_encoder, "text_encoder").config;
}

const clip::ClipConfig& ClipEncoder::image_config() const {
  check(model().image_encoder || !is_one_tower(model()), ErrorKind::checkpoint, "'", model().path.string(),
        "' holds CLIP's text tower only, which sees no pictures");
  return model::required(model(), model().image_encoder, "image_encoder").config;
}

const text::Tokenizer& ClipEncoder::tokenizer() const {
  const std::lock_guard lock(texts_->mutex);
  if (!texts_->tokenizer) texts_->tokenizer = model::load_tokenizer(model());
  return *texts_->tokenizer;
}

text::Tokens ClipEncoder::tokenize(std::span<const std::string> captions,
                                   std::vector<std::string>* warnings) const {
  text_config();
  const int64_t context = model().text.context_length;
  text::Tokens tokens = tokenizer().tokenize(captions, context);
  for (size_t i = 0; warnings != nullptr && i < captions.size(); ++i) {
    if (!tokens.truncated[i]) continue;
    warnings->push_back(join_text("the caption '", captions[i].substr(0, 40),
                                  "…' is longer than the model's ", context, " tokens: its end is not read"));
  }
  return tokens;
}

nn::TextEncoding ClipEncoder::encode_text(std::span<const std::string> captions,
                                          std::vector<std::string>* warnings) const {
  const torch::NoGradGuard no_grad;
  const text::Tokens tokens = tokenize(captions, warnings);
  const torch::Device device = networks_->options().device;
  return networks_->text_encoder()->encode_text(tokens.ids.to(device), tokens.mask.to(device));
}

nn::TextEncoding ClipEncoder::null_text() const {
  {
    const std::lock_guard lock(texts_->mutex);
    if (texts_->nothing) return *texts_->nothing;
  }
  const std::vector<std::string> nothing{model().text.null_caption};
  nn::TextEncoding encoded = encode_text(nothing);
  const std::lock_guard lock(texts_->mutex);
  if (!texts_->nothing) texts_->nothing = std::move(encoded);
  return *texts_->nothing;
}

torch::Tensor ClipEncoder::embed_captions(std::span<const std::string> captions,
                                          int64_t batch,
                                          Progress& progress,
                                          std::vector<std::string>* warnings) const {
  check_input(captions.size(), batch);
  text_config();
  progress.begin("captions", std::ssize(captions));
  torch::Tensor z_t = in_batches(std::ssize(captions), batch, progress, [&](int64_t first, int64_t last) {
    return encode_text(part_of(captions, first, last), warnings).z_t.to(torch::kFloat32);
  });
  progress.end();
  return z_t;
}

torch::Tensor ClipEncoder::prepare(const torch::Tensor& pixels) const {
  image_config();
  return image::preprocess(image::flatten_on(pixels), model().preprocessing);
}

torch::Tensor ClipEncoder::embed_prepared(const torch::Tensor& inputs) const {
  const torch::NoGradGuard no_grad;
  return networks_->image_encoder()->encode_image(inputs.to(networks_->options().device)).to(torch::kFloat32);
}

torch::Tensor ClipEncoder::embed_pictures(std::span<const torch::Tensor> pictures) const {
  return in_batches(std::ssize(pictures), kBatch, [&](int64_t first, int64_t last) {
    std::vector<torch::Tensor> inputs;
    for (const torch::Tensor& pixels : part_of(pictures, first, last)) inputs.push_back(prepare(pixels));
    return embed_prepared(torch::cat(inputs));
  });
}

torch::Tensor ClipEncoder::embed_files(std::span<const std::filesystem::path> pictures,
                                       int64_t batch,
                                       Progress& progress) const {
  check_input(pictures.size(), batch);
  image_config();
  progress.begin("pictures", std::ssize(pictures));
  torch::Tensor z_i = in_batches(std::ssize(pictures), batch, progress, [&](int64_t first, int64_t last) {
    std::vector<torch::Tensor> inputs;  // each is small at once: large pictures fit no memory
    for (const auto& picture : part_of(pictures, first, last))
      inputs.push_back(prepare(image::read_picture(picture).pixels));
    return embed_prepared(torch::cat(inputs));
  });
  progress.end();
  return z_i;
}

torch::Tensor ClipEncoder::encode_image(const torch::Tensor& pictures) const {
  const torch::NoGradGuard no_grad;
  return embed_prepared(clip::preprocess(pictures, image_config().vision));
}

double ClipEncoder::logit_scale() const {
  constexpr double kLearnedLimit = 100;  // Radford et al. 2021, §2.5
  if (!model().clip) return kLearnedLimit;
  const io::NamedTensors tensors = model::read_tensors<clip::Clip>(*model().clip);
  return std::exp(tensors.at("logit_scale").to(torch::kFloat64).item<double>());
}

}  // namespace unclip::pipeline
