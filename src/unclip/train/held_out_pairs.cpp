#include "unclip/train/held_out_pairs.h"

namespace unclip::train {
namespace {

constexpr int64_t kDrawn = 128;  // captions from which z_i is drawn
constexpr int64_t kRowsOnSheet = 12;

}  // namespace

HeldOutPairs::HeldOutPairs(const data::Dataset& dataset, const pipeline::ClipEncoder& clip)
    : dataset_(dataset), clip_(clip) {
  const int64_t rows = std::min(kPairs, dataset.size());
  HeldOut pairs = load_held_out(dataset, 0, rows, clip.image_config().vision.image_size);
  captions_ = std::move(pairs.captions);
  z_i_ = clip.encode_image(pairs.pictures);
}

Metrics HeldOutPairs::judge(const DrawEmbeddings& draw, const std::filesystem::path& sheet) const {
  const int64_t count = std::min(kDrawn, z_i_.size(0));
  const std::vector<std::string> first(captions_.begin(), captions_.begin() + count);
  const torch::Tensor drawn = draw({clip_.encode_text(first), clip_.null_text()});
  const torch::Tensor cosines = clip::normalized(drawn).matmul(clip::normalized(z_i_).t());
  write_retrieval_sheet(sheet, dataset_, cosines.slice(0, 0, kRowsOnSheet),
                        clip_.image_config().vision.image_size);
  return {{"drawn_r1", recall_at(cosines, 1)},
          {"drawn_r10", recall_at(cosines, 10)},
          {"drawn_cosine", cosines.diagonal().mean().item<double>()}};
}

}  // namespace unclip::train
