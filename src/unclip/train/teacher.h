// A pretrained sentence encoder as teacher of CLIP's text tower. A text tower that is trained on a few
// thousand captions knows no other word; taught which texts the teacher finds alike, it places unseen words
// near seen ones.
#pragma once
#include <torch/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "unclip/base/config.h"
#include "unclip/base/noise.h"

namespace unclip::train {

struct TeacherConfig {
  double weight = 0.0;  // of the teacher's loss beside the contrastive one; 0: no teacher
  int64_t batch_size = 256;
  double temperature = 0.05;  // of the similarities, the teacher's and the tower's

  static void fields(auto& self, auto&& field) {
    field("weight", self.weight, "of the teacher's loss beside the contrastive one, 0 for no teacher");
    field("batch_size", self.batch_size, "texts compared with each other in a step");
    field("temperature", self.temperature, "of the similarities between texts");
  }
  void validate() const;
};

/// Texts with the teacher's embeddings, made once by tools/teacher.
class Teacher {
 public:
  /// A safetensors file with "embeddings" [K, E] and "texts", the bytes (uint8) of K lines of UTF-8.
  /// Error(data) if they do not belong together.
  explicit Teacher(const std::filesystem::path& file);

  struct Lesson {
    std::vector<std::string> texts;
    torch::Tensor embeddings;  // [N, E] of unit length
  };
  /// `count` different texts, chosen by `key`.
  Lesson lesson(int64_t count, const NoiseKey& key) const;
  int64_t size() const { return static_cast<int64_t>(texts_.size()); }

 private:
  std::vector<std::string> texts_;
  torch::Tensor embeddings_;
};

/// Relational distillation (after Park et al. 2019): each text compares itself with all others of the batch;
/// KL(softmax(E Eᵀ / τ) ‖ softmax(Z Zᵀ / τ)) without the diagonal, mean over texts. z_t [N, D] is normalised
/// here.
torch::Tensor relational_loss(const torch::Tensor& z_t, const torch::Tensor& embeddings, double temperature);

}  // namespace unclip::train
