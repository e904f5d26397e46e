#include <gmock/gmock.h>

#include "support/error_of.h"
#include "support/temporary_folder.h"
#include "unclip/base/noise.h"
#include "unclip/image/crop.h"
#include "unclip/image/decode.h"
#include "unclip/image/sheet.h"

namespace unclip::image {
namespace {

using testing::error_of;
using ::testing::HasSubstr;

torch::Tensor noise(int64_t height, int64_t width, int64_t channels = 3) {
  return uniform_noise({9, 0, 0}, {height, width, channels}).mul(255).to(torch::kUInt8);  // never white
}

TEST(Crop, CutsWhatIsAsked) {
  const torch::Tensor pixels = noise(10, 7);
  EXPECT_TRUE(torch::equal(crop(pixels, 2, 1, 3, 4), pixels.slice(0, 2, 5).slice(1, 1, 5)));
  EXPECT_TRUE(torch::equal(center_crop(pixels, 5, 5), pixels.slice(0, 2, 7).slice(1, 1, 6)));
  EXPECT_TRUE(crop(pixels, 2, 1, 3, 4).is_contiguous());
}

TEST(Crop, RefusesWhatLiesOutside) {
  const torch::Tensor pixels = noise(10, 7);
  const auto complaint = [&](int64_t top, int64_t left, int64_t height, int64_t width) {
    return error_of(ErrorKind::shape, [&] { crop(pixels, top, left, height, width); });
  };
  EXPECT_THAT(complaint(0, 0, 11, 7),
              HasSubstr("7 × 11 pixels at (0, 0) does not lie in a picture of 7 × 10"));
  EXPECT_THAT(complaint(-1, 0, 5, 5), HasSubstr("(0, -1)"));
  EXPECT_THAT(complaint(0, 3, 5, 5), HasSubstr("(3, 0)"));
  EXPECT_THAT(complaint(0, 0, 0, 5), HasSubstr("5 × 0"));
  EXPECT_THAT(complaint(INT64_MAX, 0, 5, 5), HasSubstr("does not lie"));
  EXPECT_THROW(center_crop(pixels, 8, 8), Error);
  EXPECT_THROW(random_crop(pixels, 5, 1.0, 0), Error);
}

TEST(Crop, RandomPlacesCoverThePictureEvenly) {
  const torch::Tensor columns = torch::arange(6).to(torch::kUInt8).reshape({1, 6, 1}).expand({6, 6, 3});
  std::vector<int> hits(4, 0);
  for (int i = 0; i < 400; ++i) ++hits[random_crop(columns, 3, i / 400.0, 0.5)[0][0][0].item<int>()];
  EXPECT_THAT(hits, ::testing::Each(100));
  const torch::Tensor rows = columns.transpose(0, 1);
  EXPECT_EQ(random_crop(rows, 3, 0, 0.999)[0][0][0].item<int>(), 3);
}

TEST(Crop, PadsToASquare) {
  const torch::Tensor pixels = noise(3, 8), square = pad_to_square(pixels);
  EXPECT_EQ(square.sizes(), torch::IntArrayRef({8, 8, 3}));
  EXPECT_TRUE(torch::equal(square.slice(0, 2, 5), pixels));
  EXPECT_EQ(square.eq(255).sum().item<int64_t>(), 5 * 8 * 3);
  const torch::Tensor clear = pad_to_square(torch::zeros({4, 2, 4}, torch::kUInt8), 9);
  EXPECT_EQ(clear[0][0][0].item<int>(), 9);
  EXPECT_EQ(clear[0][0][3].item<int>(), 255);
  EXPECT_EQ(clear[0][1][3].item<int>(), 0);
}

TEST(Sheet, PlacesTilesOfAnySize) {
  const torch::Tensor large = noise(4, 6), small = noise(2, 2), third = noise(4, 6);
  const torch::Tensor sheet = contact_sheet({large, small, third}, {.columns = 2, .gap = 1});
  EXPECT_EQ(sheet.sizes(), torch::IntArrayRef({1 + 2 * 5, 1 + 2 * 7, 3}));
  EXPECT_TRUE(torch::equal(sheet.slice(0, 1, 5).slice(1, 1, 7), large));
  EXPECT_TRUE(torch::equal(sheet.slice(0, 2, 4).slice(1, 10, 12), small));  // in the middle of its cell
  EXPECT_TRUE(torch::equal(sheet.slice(0, 6, 10).slice(1, 1, 7), third));
  EXPECT_EQ(sheet.ne(255).sum().item<int64_t>(), large.numel() + small.numel() + third.numel());
}

TEST(Sheet, IsAboutSquareByDefault) {
  const std::vector<torch::Tensor> tiles(10, noise(2, 2));
  EXPECT_EQ(contact_sheet(tiles, {.gap = 0}).sizes(), torch::IntArrayRef({6, 8, 3}));
  EXPECT_EQ(contact_sheet({tiles[0]}, {.columns = 5, .gap = 0}).sizes(), torch::IntArrayRef({2, 2, 3}));
  EXPECT_THAT(error_of(ErrorKind::shape, [] { contact_sheet({}); }), HasSubstr("at least one"));
  EXPECT_THAT(error_of(ErrorKind::shape, [&] { contact_sheet(tiles, {.columns = -1}); }),
              HasSubstr("-1 columns"));
}

TEST(Sheet, IsWrittenFromNetworkPictures) {
  const testing::TemporaryFolder folder;
  const torch::Tensor pictures = torch::stack({torch::full({3, 4, 4}, -1.0F), torch::full({3, 4, 4}, 0.0F)});
  for (int i = 0; i < 2; ++i) write_sheet(folder / "x.png", pictures, {.columns = 2, .gap = 0});
  const torch::Tensor sheet = read_picture(folder / "x.png").pixels;
  EXPECT_EQ(sheet.sizes(), torch::IntArrayRef({4, 8, 3}));
  EXPECT_EQ(sheet[0][0][0].item<int>(), 0);
  EXPECT_EQ(sheet[0][4][0].item<int>(), 128);
}

}  // namespace
}  // namespace unclip::image
