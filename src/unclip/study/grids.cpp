#include "unclip/study/grids.h"

#include "unclip/image/sheet.h"

namespace unclip::study {

Grid example_grid(const eval::Evaluation& evaluation, const std::vector<ExampleRow>& rows) {
  std::vector<torch::Tensor> tiles = evaluation.real_examples;
  const int64_t columns = std::ssize(tiles);
  std::string names = "real", captions;
  for (const auto& [name, point] : rows) {
    names += "; " + name;
    tiles.insert(tiles.end(), point->examples.begin(), point->examples.end());
  }
  for (const std::string& caption : evaluation.example_captions)
    captions += (captions.empty() ? "" : " | ") + caption;
  return {image::contact_sheet(tiles, {.columns = columns}),
          join_text("Not chosen. Rows from above: ", names, ". Captions of the columns: ", captions)};
}

}  // namespace unclip::study
