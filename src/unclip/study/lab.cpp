#include "unclip/study/lab.h"

#include "unclip/base/shell_words.h"
#include "unclip/data/picture.h"
#include "unclip/image/network.h"

namespace unclip::study {
namespace fs = std::filesystem;
namespace {

constexpr int64_t kFewestTestPictures = 8;
constexpr int64_t kBatch = 64;

/// Calls embed(first, last) for parts of 0 … count − 1 and joins the rows, at unit length.
template <class Embed>
torch::Tensor unit_rows(int64_t count, const Embed& embed) {
  std::vector<torch::Tensor> parts;
  for (int64_t first = 0; first < count; first += kBatch) {
    throw_if_stopped();
    parts.push_back(embed(first, std::min(first + kBatch, count)));
  }
  return clip::normalized(torch::cat(parts));
}

std::string number(double value) { return eval::report::number_text(value, 6); }

}  // namespace

Lab::Lab(const StudyRequest& request, Progress& progress)
    : request_(request),
      progress_(progress),
      model_(request.model, request.dtype),
      judge_(eval::open_extractor(
          request.features.empty() ? request.model : request.features, request.vocabulary, request.dtype)),
      test_(std::make_unique<data::Dataset>(data::Dataset::open(request.test))) {
  pipeline::make_plan(model_.model(), {.size = side()});  // it has a prior and a decoder
  pipeline::required(model_.model(), model_.model().image_encoder, "clip");
  check(judge_->clip() != nullptr, ErrorKind::data, "'", request.features.string(),
        "' is no CLIP: the study asks its judge about captions, too");
  check(test_->size() >= kFewestTestPictures, ErrorKind::data, "there are ", test_->size(),
        " test pictures with captions, expected at least ", kFewestTestPictures);
}

torch::Tensor Lab::test_picture(int64_t index) const {
  return data::square_picture(test_->picture(index).data, test_->key(index), side());
}

torch::Tensor Lab::embed(const std::vector<torch::Tensor>& pictures) const {
  return unit_rows(static_cast<int64_t>(pictures.size()), [&](int64_t first, int64_t last) {
    std::vector<torch::Tensor> inputs;
    for (int64_t i = first; i < last; ++i) inputs.push_back(judge_->prepare(pictures[size_t(i)]));
    return judge_->features(torch::cat(inputs));
  });
}

torch::Tensor Lab::embed_drawn(const torch::Tensor& pictures) const {
  return embed(image::to_pixels(pictures).unbind());
}

torch::Tensor Lab::embed_captions(const std::vector<std::string>& captions) const {
  return unit_rows(static_cast<int64_t>(captions.size()), [&](int64_t first, int64_t last) {
    return judge_->clip()->encode_text({captions.begin() + first, captions.begin() + last}).z_t;
  });
}

eval::Evaluation Lab::evaluate(const fs::path& model,
                               pipeline::PriorKind prior,
                               const std::vector<double>& guidance) const {
  const eval::Yardstick yardstick{.real = request_.test,
                                  .features = request_.features.empty() ? request_.model : request_.features,
                                  .vocabulary = request_.vocabulary,
                                  .dtype = request_.dtype,
                                  .size = side(),
                                  .seed = request_.seed,
                                  .folder = path("drawings")};
  const eval::Trial trial{.model = model,
                          .n = plan_.pictures,
                          .guidance = guidance,
                          .drawing = {.prior = prior, .size = side()},
                          .settings = join_text("prior ", enum_name(prior))};
  return eval::evaluate_model(yardstick, trial, progress_);
}

std::string Lab::evaluate_command(const fs::path& model,
                                  pipeline::PriorKind prior,
                                  const std::vector<double>& guidance) const {
  std::string scales;
  for (const double scale : guidance) {
    if (!scales.empty()) scales += ',';
    scales += number(scale);
  }
  return join_text("unclip eval", flag_text("--data", request_.test), " --model ", quoted(model.string()),
                   request_.features.empty() ? join_text(" --features ", quoted(request_.model.string()))
                                             : join_text(" --features ", quoted(request_.features.string())),
                   " --prior ", enum_name(prior), scales.empty() ? scales : join_text(" --guidance ", scales),
                   " --n ", plan_.pictures, " --size ", side(), " --seed ", request_.seed, " -o evaluation");
}

std::string flag_text(const std::string& flag, const std::vector<std::string>& values) {
  if (values.empty()) return "";
  std::string result = join_text(' ', flag);
  for (const std::string& value : values) result += join_text(' ', quoted(value));
  return result;
}

}  // namespace unclip::study
