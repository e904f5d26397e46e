#include "unclip/train/held_out.h"

#include <numeric>
#include <optional>

#include "unclip/base/error.h"
#include "unclip/data/picture.h"
#include "unclip/image/sheet.h"
#include "unclip/metrics/retrieval.h"

namespace unclip::train {
namespace {

constexpr int64_t kFoundPerRow = 8;

struct Readable {
  torch::Tensor picture;  // uint8 [3, size, size]
  std::string caption;
};

/// Nothing if its picture is damaged.
std::optional<Readable> read_one(const data::Dataset& dataset, int64_t index, int64_t size) {
  const data::Sample sample = dataset.sample(index);
  try {
    return Readable{data::square_picture(sample.picture.data, sample.key, size).permute({2, 0, 1}),
                    sample.captions.empty() ? "" : sample.captions.front()};
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::data) throw;
    return std::nullopt;
  }
}

/// The sample at `index` or the next one that can be read: what training leaves out must not stop an
/// evaluation either.
Readable readable_from(const data::Dataset& dataset, int64_t index, int64_t size) {
  for (int64_t i = 0; i < dataset.size(); ++i) {
    if (auto sample = read_one(dataset, (index + i) % dataset.size(), size)) return std::move(*sample);
  }
  fail(ErrorKind::data, "all ", dataset.size(), " held-out pictures are damaged");
}

}  // namespace

bool has_readable(const data::Dataset& dataset) {
  for (int64_t i = 0; i < dataset.size(); ++i) {
    if (read_one(dataset, i, 1)) return true;
  }
  return false;
}

torch::Tensor to_unit_range(const torch::Tensor& pictures) {
  return pictures.to(torch::kFloat32) / 127.5 - 1;
}

HeldOut load_held_out(const data::Dataset& dataset, int64_t first, int64_t last, int64_t size) {
  std::vector<torch::Tensor> pictures;
  HeldOut result;
  for (int64_t i = first; i < last; ++i) {
    Readable sample = readable_from(dataset, i, size);
    pictures.push_back(std::move(sample.picture));
    result.captions.push_back(std::move(sample.caption));
  }
  result.pictures = to_unit_range(torch::stack(pictures));
  return result;
}

std::vector<uint64_t> first_seeds(int64_t count) {
  std::vector<uint64_t> seeds(static_cast<size_t>(count));
  std::iota(seeds.begin(), seeds.end(), 0);
  return seeds;
}

double recall_at(const torch::Tensor& scores, int64_t k) {
  return metrics::recall_at(metrics::ranks_of_own(scores), k);
}

void write_retrieval_sheet(const std::filesystem::path& sheet,
                           const data::Dataset& dataset,
                           const torch::Tensor& scores,
                           int64_t size) {
  const int64_t found = std::min<int64_t>(kFoundPerRow, scores.size(1));
  const torch::Tensor best = std::get<1>(scores.topk(found, 1)).contiguous();
  std::vector<torch::Tensor> tiles;
  for (int64_t row = 0; row < scores.size(0); ++row) {
    tiles.push_back(load_held_out(dataset, row, row + 1, size).pictures);
    for (int64_t i = 0; i < found; ++i) {
      const auto index = best[row][i].item<int64_t>();
      tiles.push_back(load_held_out(dataset, index, index + 1, size).pictures);
    }
  }
  image::write_sheet(sheet, torch::cat(tiles), {.columns = found + 1});
}

}  // namespace unclip::train
