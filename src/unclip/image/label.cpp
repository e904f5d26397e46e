#include "unclip/image/label.h"

#include <array>
#include <map>
#include <string_view>
#include <vector>

#include "unclip/base/error.h"
#include "unclip/image/decode.h"

namespace unclip::image {
namespace {

constexpr int64_t kRows = 5, kColumns = 3;
constexpr int64_t kMargin = 2;  // in dots, around the text
constexpr uint8_t kInk = 70;

using Glyph = std::array<std::string_view, kRows>;

const std::map<std::string_view, Glyph>& font() {
  static const std::map<std::string_view, Glyph> glyphs{
      {"0", {"###", "# #", "# #", "# #", "###"}}, {"1", {" # ", "## ", " # ", " # ", "###"}},
      {"2", {"###", "  #", "###", "#  ", "###"}}, {"3", {"###", "  #", "###", "  #", "###"}},
      {"4", {"# #", "# #", "###", "  #", "  #"}}, {"5", {"###", "#  ", "###", "  #", "###"}},
      {"6", {"###", "#  ", "###", "# #", "###"}}, {"7", {"###", "  #", "  #", " # ", " # "}},
      {"8", {"###", "# #", "###", "# #", "###"}}, {"9", {"###", "# #", "###", "  #", "###"}},
      {".", {"   ", "   ", "   ", "   ", " # "}}, {",", {"   ", "   ", "   ", " # ", "#  "}},
      {"+", {"   ", " # ", "###", " # ", "   "}}, {"-", {"   ", "   ", "###", "   ", "   "}},
      {"=", {"   ", "###", "   ", "###", "   "}}, {"%", {"# #", "  #", " # ", "#  ", "# #"}},
      {"a", {"   ", " ##", "# #", "# #", " ##"}}, {"b", {"#  ", "## ", "# #", "# #", "## "}},
      {"c", {"   ", " ##", "#  ", "#  ", " ##"}}, {"d", {"  #", " ##", "# #", "# #", " ##"}},
      {"e", {" # ", "# #", "###", "#  ", " ##"}}, {"f", {" ##", "#  ", "## ", "#  ", "#  "}},
      {"g", {" ##", "# #", " ##", "  #", "## "}}, {"h", {"#  ", "#  ", "## ", "# #", "# #"}},
      {"i", {" # ", "   ", " # ", " # ", " # "}}, {"j", {"  #", "   ", "  #", "# #", " # "}},
      {"k", {"#  ", "# #", "## ", "# #", "# #"}}, {"l", {"## ", " # ", " # ", " # ", "###"}},
      {"m", {"   ", "###", "###", "# #", "# #"}}, {"n", {"   ", "## ", "# #", "# #", "# #"}},
      {"o", {"   ", " # ", "# #", "# #", " # "}}, {"p", {"   ", "## ", "# #", "## ", "#  "}},
      {"q", {"   ", " ##", "# #", " ##", "  #"}}, {"r", {"   ", "###", "#  ", "#  ", "#  "}},
      {"s", {" ##", "#  ", " # ", "  #", "## "}}, {"t", {" # ", "###", " # ", " # ", " ##"}},
      {"u", {"   ", "# #", "# #", "# #", "###"}}, {"v", {"   ", "# #", "# #", "# #", " # "}},
      {"w", {"   ", "# #", "# #", "###", "###"}}, {"x", {"   ", "# #", " # ", "# #", "   "}},
      {"y", {"# #", "# #", " ##", "  #", "## "}}, {"z", {"   ", "###", " # ", "#  ", "###"}},
      {" ", {"   ", "   ", "   ", "   ", "   "}}, {"θ", {" # ", "# #", "###", "# #", " # "}},
      {"η", {"   ", "## ", "# #", "# #", "  #"}}};
  return glyphs;
}

std::vector<Glyph> glyphs_of(const std::string& text) {
  std::vector<Glyph> result;
  for (size_t i = 0; i < text.size();) {
    size_t length = 1;
    while (i + length < text.size() && (static_cast<unsigned char>(text[i + length]) & 0xC0U) == 0x80U)
      ++length;
    const auto found = font().find(std::string_view(text).substr(i, length));
    check(found != font().end(), ErrorKind::shape, "the font of labels has no '", text.substr(i, length),
          "'");
    result.push_back(found->second);
    i += length;
  }
  return result;
}

}  // namespace

torch::Tensor printed(const std::string& text) {
  const std::vector<Glyph> glyphs = glyphs_of(text);
  const auto count = static_cast<int64_t>(glyphs.size());
  torch::Tensor result =
      torch::full({kRows, std::max<int64_t>(1, count * (kColumns + 1) - 1)}, 255, torch::kUInt8);
  auto at = result.accessor<uint8_t, 2>();
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t y = 0; y < kRows; ++y) {
      for (int64_t x = 0; x < kColumns; ++x) {
        const bool ink =
            glyphs[static_cast<size_t>(i)][static_cast<size_t>(y)][static_cast<size_t>(x)] == '#';
        if (ink) at[y][i * (kColumns + 1) + x] = kInk;
      }
    }
  }
  return result;
}

torch::Tensor labelled(const torch::Tensor& tile, const std::string& text) {
  const torch::Tensor opaque = flatten_on(tile), print = printed(text);
  const int64_t width = opaque.size(1);
  // As large as fits, but no larger than a sixteenth of the tile, in whole pixels a dot.
  const int64_t dot = std::max<int64_t>(1, std::min(width / print.size(1), opaque.size(0) / (16 * kRows)));
  const torch::Tensor scaled = print.repeat_interleave(dot, 0).repeat_interleave(dot, 1);
  torch::Tensor band = torch::full({(kRows + 2 * kMargin) * dot, width, 3}, 255, torch::kUInt8);
  const int64_t shown = std::min(width, scaled.size(1));
  band.narrow(0, kMargin * dot, kRows * dot)
      .narrow(1, (width - shown) / 2, shown)
      .copy_(scaled.narrow(1, 0, shown).unsqueeze(2));
  return torch::cat({opaque, band});
}

}  // namespace unclip::image
