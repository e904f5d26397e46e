// Words pasted on pictures.
#include "unclip/study/typography.h"

#include <gtest/gtest.h>

namespace unclip::study {
namespace {

using torch::Tensor;

TEST(Typography, WordsAreWhatTheFontHas) {
  EXPECT_EQ(words_of("a Red Heart, flat fluent style"), "red heart");
  EXPECT_EQ(words_of("the café’s  sign"), "caf s sign");
  EXPECT_EQ(words_of("noto emoji: love"), "noto emoji love");
  EXPECT_EQ(words_of(""), "");
}

TEST(Typography, StandInABandAndLeaveTheRest) {
  const Tensor picture = torch::full({64, 64, 3}, 40, torch::kUInt8);
  const Tensor attacked = with_words(picture, "red heart");
  EXPECT_TRUE((picture == 40).all().item<bool>());
  const Tensor changed = (attacked != picture).any(2);  // [64, 64]
  const Tensor rows = changed.any(1);
  const auto count = rows.sum().item<int64_t>();
  EXPECT_EQ(count, 26);  // two lines of five dots of two pixels, with gaps
  EXPECT_FALSE(rows.slice(0, 0, 28).any().item<bool>());
  EXPECT_FALSE(rows.slice(0, 60).any().item<bool>());
  EXPECT_TRUE((attacked < 100).logical_and(attacked != 40).any().item<bool>());  // ink
}

TEST(Typography, CutsWhatDoesNotFit) {
  const Tensor small = torch::zeros({8, 8, 3}, torch::kUInt8);
  EXPECT_EQ(with_words(small, "an extraordinarily long word").sizes(), small.sizes());
  EXPECT_EQ(with_words(small, "").sizes(), small.sizes());
}

}  // namespace
}  // namespace unclip::study
