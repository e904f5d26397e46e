#include "unclip/train/clip_stage.h"

#include "unclip/train/held_out.h"
#include "unclip/train/step_random.h"

namespace unclip::train {
namespace {

constexpr int64_t kRowsOnSheet = 12;

}  // namespace

ClipStage::ClipStage(const ClipRun& run,
                     std::shared_ptr<const text::Tokenizer> tokenizer,
                     std::shared_ptr<const data::Dataset> validation)
    : run_(run), model_(run.model), tokenizer_(std::move(tokenizer)), validation_(std::move(validation)) {
  check(tokenizer_->end_id() == run.model.text.vocab_size - 1, ErrorKind::config, "clip: text.vocab_size is ",
        run.model.text.vocab_size, ", but the tokenizer has ", tokenizer_->end_id() + 1, " tokens");
  run.teacher.validate();
  nn::initialize_parameters(*model_, static_cast<uint64_t>(run.train.seed));
  model_->set_compute_dtype(compute_type(run.train.precision));
}

torch::Tensor ClipStage::encode_text(const std::vector<std::string>& texts) {
  const auto tokens = tokenizer_->tokenize(texts, run_.model.text.context_length);
  // Attention is causal and the embedding is read at the end token: positions behind the longest caption are
  // idle.
  const int64_t longest = tokens.mask.sum(1).max().item<int64_t>();
  return model_->encode_text(tokens.ids.slice(1, 0, longest), tokens.mask.slice(1, 0, longest)).z_t;
}

StepLoss ClipStage::loss(const data::Batch& batch, const NoiseKey& key) {
  const torch::Tensor pictures = clip::preprocess(to_unit_range(batch.pictures), run_.model.vision);
  const torch::Tensor z_i = model_->encode_image(pictures);
  const torch::Tensor z_t = encode_text(batch.captions);
  const torch::Tensor logits = clip::similarity_logits(z_i, z_t, model_->logit_scale);
  StepLoss result{clip::contrastive_loss(logits),
                  {{"batch_accuracy", recall_at(logits.detach(), 1)},
                   {"logit_scale", model_->logit_scale.exp().item<double>()}}};
  if (run_.teacher.weight == 0.0) return result;
  const Teacher::Lesson lesson = teacher_->lesson(run_.teacher.batch_size, sub_key(key, "lesson"));
  const torch::Tensor taught =
      relational_loss(encode_text(lesson.texts), lesson.embeddings, run_.teacher.temperature);
  result.loss = result.loss + run_.teacher.weight * taught;
  result.metrics.emplace_back("teacher_loss", taught.item<double>());
  return result;
}

Metrics ClipStage::evaluate(const std::filesystem::path& sheet) {
  if (!validation_) return {};
  std::vector<torch::Tensor> z_i, z_t;
  for (int64_t first = 0; first < validation_->size(); first += kEvaluationBatch) {
    const int64_t last = std::min(first + kEvaluationBatch, validation_->size());
    const HeldOut pairs = load_held_out(*validation_, first, last, run_.model.vision.image_size);
    const auto tokens = tokenizer_->tokenize(pairs.captions, run_.model.text.context_length);
    z_i.push_back(
        clip::normalized(model_->encode_image(clip::preprocess(pairs.pictures, run_.model.vision))));
    z_t.push_back(clip::normalized(model_->encode_text(tokens.ids, tokens.mask).z_t));
  }
  const torch::Tensor scores = torch::cat(z_t).matmul(torch::cat(z_i).t());
  const int64_t shown = std::min(kRowsOnSheet, validation_->size());
  write_retrieval_sheet(sheet, *validation_, scores.slice(0, 0, shown), run_.model.vision.image_size);
  return {{"text_to_image_r1", recall_at(scores, 1)},
          {"text_to_image_r5", recall_at(scores, 5)},
          {"text_to_image_r10", recall_at(scores, 10)},
          {"image_to_text_r1", recall_at(scores.t(), 1)},
          {"image_to_text_r10", recall_at(scores.t(), 10)}};
}

}  // namespace unclip::train
