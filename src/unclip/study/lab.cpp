#include "unclip/study/lab.h"

#include "unclip/base/shell_words.h"
#include "unclip/data/picture.h"
#include "unclip/image/network.h"

namespace unclip::study {
namespace fs = std::filesystem;
namespace {

constexpr int64_t kFewestTestPictures = 8;
constexpr size_t kBatch = 64;

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
  model::required(model_.model(), model_.model().image_encoder, "clip");
  check(judge_->clip() != nullptr, ErrorKind::data, "'", request.features.string(),
        "' is no CLIP: the study asks its judge about captions, too");
  check(test_->size() >= kFewestTestPictures, ErrorKind::data, "there are ", test_->size(),
        " test pictures with captions, expected at least ", kFewestTestPictures);
}

torch::Tensor Lab::test_picture(int64_t index) const {
  return data::square_picture(test_->picture(index).data, test_->key(index), side());
}

torch::Tensor Lab::embed(const std::vector<torch::Tensor>& pictures) const {
  std::vector<torch::Tensor> parts;
  for (size_t first = 0; first < pictures.size(); first += kBatch) {
    progress_.throw_if_stopped();
    std::vector<torch::Tensor> inputs;
    for (size_t i = first; i < std::min(first + kBatch, pictures.size()); ++i)
      inputs.push_back(judge_->prepare(pictures[i]));
    parts.push_back(judge_->features(torch::cat(inputs)));
  }
  return clip::normalized(torch::cat(parts));
}

torch::Tensor Lab::embed_drawn(const torch::Tensor& pictures) const {
  return embed(image::to_pixels(pictures).unbind());
}

torch::Tensor Lab::embed_captions(const std::vector<std::string>& captions) const {
  return clip::normalized(
      judge_->clip()->embed_captions(captions, kBatch, *silent_progress(progress_.stop())));
}

eval::Evaluation Lab::evaluate(const fs::path& model,
                               pipeline::PriorKind prior,
                               const std::vector<double>& guidance) const {
  const eval::EvalReference reference{
      .real = request_.test,
      .features = request_.features.empty() ? request_.model : request_.features,
      .vocabulary = request_.vocabulary,
      .dtype = request_.dtype,
      .size = side(),
      .seed = request_.seed,
      .folder = path("drawings")};
  const eval::EvalRun run{.model = model,
                          .n = plan_.pictures,
                          .guidance = guidance,
                          .sampling = {.prior = prior, .size = side()},
                          .settings = join_text("prior ", enum_name(prior))};
  return eval::evaluate_model(reference, run, progress_);
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
