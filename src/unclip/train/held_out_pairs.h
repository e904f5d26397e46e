// How both priors are judged: by the embeddings that they draw from held-out captions.
#pragma once
#include <functional>

#include "unclip/prior/prior_input.h"
#include "unclip/train/held_out.h"
#include "unclip/train/stage.h"
#include "unclip/train/trained_model.h"

namespace unclip::train {

/// z_i [N, D] from N captions.
using DrawEmbeddings = std::function<torch::Tensor(const prior::PriorInput& input)>;

class HeldOutPairs {
 public:
  /// The first pairs of a held-out data set, at most kPairs.
  HeldOutPairs(const data::Dataset& dataset, const pipeline::ClipEncoder& clip);

  const std::vector<std::string>& captions() const { return captions_; }
  const torch::Tensor& z_i() const { return z_i_; }  // [N, D]
  /// drawn_r1, drawn_r10: how often z_i drawn from one of the first captions has its own picture among the
  /// nearest 1, 10 of all; drawn_cosine: how near it is to it. The sheet shows a caption's picture, then what
  /// is found.
  Metrics judge(const DrawEmbeddings& draw, const std::filesystem::path& sheet) const;

  static constexpr int64_t kPairs = 512;

 private:
  const data::Dataset& dataset_;
  const pipeline::ClipEncoder& clip_;
  std::vector<std::string> captions_;
  torch::Tensor z_i_;
};

}  // namespace unclip::train
