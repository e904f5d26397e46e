#include "unclip/image/label.h"

#include <gmock/gmock.h>

#include "support/close.h"
#include "support/error_of.h"

namespace unclip::image {
namespace {

using torch::Tensor;

TEST(Label, StandsBelowTheTile) {
  const Tensor tile = torch::full({64, 64, 3}, 9, torch::kUInt8);
  const Tensor sheet = labelled(tile, "θ=0.25");
  EXPECT_EQ(sheet.size(1), 64);
  EXPECT_EQ(sheet.size(0), 64 + 9);
  EXPECT_TRUE(torch::equal(sheet.slice(0, 0, 64), tile));
  const Tensor band = sheet.slice(0, 64);
  EXPECT_TRUE((band == 255).any().item<bool>());
  EXPECT_TRUE((band < 128).any().item<bool>());
  EXPECT_TRUE((band.slice(1, 0, 8) == 255).all().item<bool>());  // centred
}

TEST(Label, OfAOneIsAOne) {
  const Tensor print =
      labelled(torch::zeros({8, 3, 3}, torch::kUInt8), "1").slice(0, 10, 15).select(2, 0) < 128;
  const Tensor expected =
      torch::tensor({0, 1, 0, 1, 1, 0, 0, 1, 0, 0, 1, 0, 1, 1, 1}, torch::kInt).view({5, 3}) > 0;
  EXPECT_TRUE(torch::equal(print, expected));
}

TEST(Label, GrowsWithTheTileAndIsCutWhereTheTileEnds) {
  const auto band_of = [](int64_t side, const std::string& text) {
    return labelled(torch::zeros({side, side, 3}, torch::kUInt8), text).size(0) - side;
  };
  EXPECT_EQ(band_of(256, "k=5"), 27);
  EXPECT_EQ(band_of(4, "123456"), 9);
  EXPECT_EQ(band_of(64, ""), 9);  // room is kept, so that a row of tiles stays even
}

TEST(Label, LettersAreLegible) {
  const std::string all = "abcdefghijklmnopqrstuvwxyz0123456789";
  const Tensor print = printed(all);
  ASSERT_EQ(print.sizes(), (std::vector<int64_t>{5, 4 * 36 - 1}));
  for (int64_t i = 0; i < 36; ++i) {
    for (int64_t j = 0; j < i; ++j) {
      const Tensor one = print.slice(1, 4 * i, 4 * i + 3), other = print.slice(1, 4 * j, 4 * j + 3);
      EXPECT_FALSE(torch::equal(one, other)) << all[size_t(i)] << " looks like " << all[size_t(j)];
    }
  }
}

TEST(Label, OtherLettersAreAnError) {
  EXPECT_THAT(testing::error_of(ErrorKind::shape,
                                [] {
                                  labelled(torch::zeros({8, 8, 3}, torch::kUInt8), "é");
                                }),
              ::testing::HasSubstr("has no 'é'"));
}

}  // namespace
}  // namespace unclip::image
