#include "unclip/study/subjects.h"

#include <algorithm>
#include <numeric>

#include "unclip/image/label.h"
#include "unclip/image/network.h"
#include "unclip/image/sheet.h"
#include "unclip/pipeline/manipulations.h"

namespace unclip::study {
namespace {

constexpr int64_t kGridRows = 8;
const manipulate::LatentPath kPath{.timesteps = "logsnr25", .guidance = 1.0};

}  // namespace

std::vector<Subject> choose_subjects(const Lab& lab) {
  const data::Dataset& test = lab.test();
  std::vector<int64_t> order(static_cast<size_t>(test.size()));
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, {}, [&](int64_t i) { return std::pair(stream_id(test.key(i)), i); });
  order.resize(static_cast<size_t>(std::min(lab.plan().subjects, test.size())));
  std::vector<Subject> subjects;
  for (const int64_t i : order) {
    subjects.push_back({lab.test_picture(i), test.captions(i).front()});
  }
  return subjects;
}

std::vector<torch::Tensor> pixels_of(const std::vector<Subject>& subjects) {
  std::vector<torch::Tensor> result;
  for (const Subject& subject : subjects) result.push_back(subject.pixels);
  return result;
}

std::vector<std::string> captions_of(const std::vector<Subject>& subjects) {
  std::vector<std::string> result;
  for (const Subject& subject : subjects) result.push_back(subject.caption);
  return result;
}

std::vector<std::string> captions_of_next(const std::vector<Subject>& subjects) {
  std::vector<std::string> result = captions_of(subjects);
  std::ranges::rotate(result, result.begin() + 1);
  return result;
}

manipulate::Latent latents_of(Lab& lab, const std::vector<Subject>& subjects) {
  const std::filesystem::path file = lab.path("latents.safetensors");
  if (!std::filesystem::exists(file)) {
    manipulate::save_latent(file, pipeline::invert(lab.model(), pixels_of(subjects), kPath, lab.progress()),
                            lab.model().model().manifest.name);
  }
  return manipulate::load_latent(file);
}

std::vector<uint64_t> seeds_of(const Lab& lab, const std::vector<Subject>& subjects) {
  std::vector<uint64_t> seeds(subjects.size());
  std::iota(seeds.begin(), seeds.end(), lab.request().seed);
  return seeds;
}

int64_t grid_rows(const std::vector<Subject>& subjects) {
  return std::min<int64_t>(kGridRows, std::ssize(subjects));
}

Grid grid(const std::vector<Subject>& subjects,
          const std::vector<Column>& columns,
          const std::string& caption) {
  std::vector<torch::Tensor> tiles;
  for (int64_t row = 0; row < grid_rows(subjects); ++row) {
    tiles.push_back(image::labelled(subjects[size_t(row)].pixels, ""));
    for (const Column& column : columns)
      tiles.push_back(
          image::labelled(image::to_pixels(column.pictures.slice(0, row, row + 1))[0], column.label));
  }
  return {image::contact_sheet(tiles, {.columns = std::ssize(columns) + 1}), caption};
}

}  // namespace unclip::study
