#include "unclip/train/teacher.h"

#include <limits>
#include <sstream>

#include "unclip/base/error.h"
#include "unclip/clip/clip.h"
#include "unclip/io/safetensors.h"

namespace unclip::train {
namespace {

std::vector<std::string> read_lines(const torch::Tensor& bytes) {
  const torch::Tensor text = bytes.contiguous();
  std::istringstream stream(std::string(reinterpret_cast<const char*>(text.const_data_ptr<uint8_t>()),
                                        static_cast<size_t>(text.numel())));
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// Log-probabilities of each text's similarity to the others, [N, N]; −∞ on the diagonal.
torch::Tensor log_relations(const torch::Tensor& unit_rows, double temperature) {
  const torch::Tensor itself = torch::eye(unit_rows.size(0), torch::kBool);
  const torch::Tensor similarities = unit_rows.matmul(unit_rows.t()) / temperature;
  return similarities.masked_fill(itself, -std::numeric_limits<float>::infinity()).log_softmax(1);
}

}  // namespace

void TeacherConfig::validate() const {
  check(weight >= 0 && temperature > 0 && batch_size > 1, ErrorKind::config, "teacher: weight is ", weight,
        ", temperature ", temperature, " and batch_size ", batch_size,
        ", expected at least 0, above 0 and at least 2");
}

Teacher::Teacher(const std::filesystem::path& file) {
  const io::SafetensorsFile tensors(file);
  const torch::Tensor bytes = tensors.tensor("texts");
  check(bytes.scalar_type() == torch::kUInt8 && bytes.dim() == 1, ErrorKind::data, file.string(),
        ": 'texts' should be the bytes of a text, got ", c10::toString(bytes.scalar_type()), " of shape ",
        bytes.sizes());
  texts_ = read_lines(bytes);
  embeddings_ = tensors.tensor("embeddings");
  check(embeddings_.dim() == 2 && embeddings_.size(0) == size(), ErrorKind::data, file.string(), " has ",
        size(), " texts, but embeddings of shape ", embeddings_.sizes());
}

Teacher::Lesson Teacher::lesson(int64_t count, const NoiseKey& key) const {
  check(count <= size(), ErrorKind::config, "teacher: batch_size is ", count, ", but there are only ", size(),
        " texts");
  const torch::Tensor chosen = std::get<1>(uniform_noise(key, {size()}).topk(count));
  Lesson lesson;
  for (int64_t i = 0; i < count; ++i)
    lesson.texts.push_back(texts_[static_cast<size_t>(chosen[i].item<int64_t>())]);
  lesson.embeddings = clip::normalized(embeddings_.index_select(0, chosen).to(torch::kFloat32));
  return lesson;
}

torch::Tensor relational_loss(const torch::Tensor& z_t, const torch::Tensor& embeddings, double temperature) {
  const torch::Tensor expected = log_relations(clip::normalized(embeddings), temperature);
  const torch::Tensor got = log_relations(clip::normalized(z_t), temperature);
  const torch::Tensor itself = torch::eye(z_t.size(0), torch::kBool);
  const torch::Tensor terms = expected.exp() * (expected - got).masked_fill(itself, 0.0);
  return terms.masked_fill(itself, 0.0).sum(1).mean();
}

}  // namespace unclip::train
