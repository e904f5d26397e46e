#include "unclip/manipulate/mask.h"

#include <gmock/gmock.h>

#include "support/close.h"
#include "support/error_of.h"
#include "support/fixture.h"
#include "unclip/base/noise.h"

namespace unclip::manipulate {
namespace {

using testing::error_of;
using torch::Tensor;

Tensor random_pixels(uint64_t seed, torch::IntArrayRef shape) {
  return (uniform_noise({seed, 1, 1}, shape) * 256).to(torch::kUInt8);
}

TEST(RepaintMask, WhiteIsRepaintedByPillowsGrey) {
  const testing::Fixture fixture("manipulate/reference");
  EXPECT_TRUE(torch::equal(repaint_mask(fixture["mask.in"]), fixture["mask.grey"] >= 128));
}

TEST(RepaintMask, TransparencyCountsWhereThereIsAny) {
  Tensor pixels = torch::full({4, 5, 4}, 255, torch::kUInt8);
  EXPECT_TRUE(repaint_mask(pixels).all().item<bool>());  // opaque white
  pixels[1][2][3] = 0;
  const Tensor mask = repaint_mask(pixels);
  EXPECT_EQ(mask.sum().item<int64_t>(), 1);
  EXPECT_TRUE(mask[1][2].item<bool>());
}

TEST(RepaintMask, NothingToRepaintIsAnError) {
  EXPECT_THAT(error_of(ErrorKind::data,
                       [] {
                         repaint_mask(torch::zeros({3, 3, 3}, torch::kUInt8));
                       }),
              ::testing::HasSubstr("nothing to repaint"));
}

TEST(ResizeMask, NoTouchedPixelIsLost) {
  for (const int64_t side : {7, 16, 33, 100}) {
    for (int64_t i = 0; i < side; ++i) {
      Tensor mask = torch::zeros({side, side}, torch::kBool);
      mask[i][side - 1 - i] = true;
      const Tensor small = resize_mask(mask, 16);
      EXPECT_EQ(small.sizes(), (std::vector<int64_t>{1, 1, 16, 16}));
      // The cell that holds the pixel's middle is among the repainted ones.
      const auto cell = [&](int64_t at) { return (2 * at + 1) * 16 / (2 * side); };
      EXPECT_TRUE(small[0][0][cell(i)][cell(side - 1 - i)].item<bool>()) << side << " " << i;
      EXPECT_LE(small.sum().item<int64_t>(), side < 16 ? 16 : 4) << side;
    }
  }
}

TEST(Compose, KnownPixelsKeepTheirBits) {
  for (const auto& [height, width] : {std::pair{5L, 9L}, {8L, 3L}, {1L, 1L}, {64L, 64L}}) {
    for (const int64_t channels : {3, 4}) {
      const Tensor original = random_pixels(1, {height, width, channels}),
                   drawn = random_pixels(2, {height, width, 3});
      const Tensor mask = uniform_noise({3, 1, 1}, {height, width}) < 0.5;
      const Tensor result = compose(original, drawn, mask), known = mask.logical_not();
      EXPECT_TRUE(torch::equal(result.index({known}), original.index({known})));
      EXPECT_TRUE(torch::equal(result.narrow(2, 0, 3).index({mask}), drawn.index({mask})));
      if (channels == 4) {
        EXPECT_TRUE((result.select(2, 3).index({mask}) == 255).all().item<bool>());
      }
    }
  }
}

TEST(Canvas, HoldsThePictureInTheMiddle) {
  const Tensor pixels = random_pixels(1, {5, 8, 3}), mask = uniform_noise({3, 1, 1}, {5, 8}) < 0.5;
  const Canvas canvas = make_canvas(pixels, mask);
  EXPECT_EQ(canvas.pixels.sizes(), (std::vector<int64_t>{8, 8, 3}));
  const auto inside = [&](const Tensor& t) {
    return t.narrow(0, canvas.top, canvas.height).narrow(1, canvas.left, canvas.width);
  };
  EXPECT_TRUE(torch::equal(inside(canvas.pixels), pixels));
  EXPECT_TRUE(torch::equal(inside(canvas.mask), mask));
  EXPECT_EQ(canvas.mask.sum().item<int64_t>(), mask.sum().item<int64_t>());
}

TEST(Canvas, MaskOfAnotherSizeIsAnError) {
  EXPECT_THAT(error_of(ErrorKind::data,
                       [] {
                         make_canvas(random_pixels(1, {5, 8, 3}), torch::ones({8, 5}, torch::kBool));
                       }),
              ::testing::HasSubstr("the mask has 5 × 8 pixels, but the picture has 8 × 5"));
}

}  // namespace
}  // namespace unclip::manipulate
