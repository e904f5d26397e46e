#include "unclip/train/held_out.h"

#include "unclip/data/picture.h"

namespace unclip::train {

torch::Tensor to_unit_range(const torch::Tensor& pictures) {
  return pictures.to(torch::kFloat32) / 127.5 - 1;
}

HeldOut load_held_out(const data::Dataset& dataset, int64_t first, int64_t last, int64_t size) {
  std::vector<torch::Tensor> pictures;
  HeldOut result;
  for (int64_t i = first; i < last; ++i) {
    const data::Sample sample = dataset.sample(i);
    pictures.push_back(data::square_picture(sample.picture.data, sample.key, size).permute({2, 0, 1}));
    result.captions.push_back(sample.captions.empty() ? "" : sample.captions.front());
  }
  result.pictures = to_unit_range(torch::stack(pictures));
  return result;
}

}  // namespace unclip::train
