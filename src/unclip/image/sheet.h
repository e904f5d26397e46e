// Many pictures on one sheet.
#pragma once
#include <torch/types.h>

#include <filesystem>
#include <vector>

namespace unclip::image {

struct SheetOptions {
  int64_t columns = 0;  // 0: about as many as rows
  int64_t gap = 2;      // white pixels around each tile
};

/// Tiles uint8 [H, W, 3 or 4] of any sizes, row by row, each in the middle of a cell of the largest size, on
/// white -> uint8 [H', W', 3]. Error(shape) if there are none.
torch::Tensor contact_sheet(const std::vector<torch::Tensor>& tiles, const SheetOptions& options = {});

/// Writes pictures [N, 3, H, W] in −1…1 as one sheet, replacing what is there (kind by the ending of `path`).
void write_sheet(const std::filesystem::path& path,
                 const torch::Tensor& pictures,
                 const SheetOptions& options = {});

}  // namespace unclip::image
