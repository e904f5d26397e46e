#include "unclip/image/sheet.h"

#include <cmath>

#include "unclip/image/decode.h"
#include "unclip/image/encode.h"
#include "unclip/image/network.h"
#include "unclip/image/pixels.h"

namespace unclip::image {

torch::Tensor contact_sheet(const std::vector<torch::Tensor>& tiles, const SheetOptions& options) {
  check(!tiles.empty(), ErrorKind::shape, "a sheet needs at least one picture");
  check(options.columns >= 0 && options.gap >= 0, ErrorKind::shape, "a sheet has ", options.columns,
        " columns and a gap of ", options.gap, ", expected neither to be negative");
  int64_t cell_height = 0, cell_width = 0;
  std::vector<torch::Tensor> opaque;
  for (const torch::Tensor& tile : tiles) {
    opaque.push_back(flatten_on(tile));
    cell_height = std::max(cell_height, tile.size(0));
    cell_width = std::max(cell_width, tile.size(1));
  }
  const auto count = static_cast<int64_t>(tiles.size());
  const int64_t even = static_cast<int64_t>(std::ceil(std::sqrt(static_cast<double>(count))));
  const int64_t columns = std::min(count, options.columns > 0 ? options.columns : even);
  const int64_t rows = (count + columns - 1) / columns, gap = options.gap;
  torch::Tensor sheet = torch::full({gap + rows * (cell_height + gap), gap + columns * (cell_width + gap), 3},
                                    255, torch::kUInt8);
  for (int64_t i = 0; i < count; ++i) {
    const torch::Tensor& tile = opaque[static_cast<size_t>(i)];
    const int64_t height = tile.size(0), width = tile.size(1);
    const int64_t top = gap + i / columns * (cell_height + gap) + (cell_height - height) / 2;
    const int64_t left = gap + i % columns * (cell_width + gap) + (cell_width - width) / 2;
    sheet.narrow(0, top, height).narrow(1, left, width).copy_(tile);
  }
  return sheet;
}

void write_sheet(const std::filesystem::path& path,
                 const torch::Tensor& pictures,
                 const SheetOptions& options) {
  write_picture(path, contact_sheet(to_pixels(pictures).unbind(0), options), {.force = true});
}

}  // namespace unclip::image
