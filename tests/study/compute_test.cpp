// Arithmetic of training, counted by hand, and where curves cross.
#include "unclip/study/compute.h"

#include <gtest/gtest.h>

namespace unclip::study {
namespace {

TEST(Compute, OfATransformerIsItsMatrices) {
  // One layer of width 8 with 12 · 8² weights, three positions that attend to five keys.
  const double products = 2.0 * 12 * 64, attention = 2.0 * 2 * 8 * 5;
  EXPECT_EQ(transformer_flops({.width = 8, .layers = 1, .heads = 2}, 3, 5), 3 * (products + attention));
  EXPECT_EQ(transformer_flops({.width = 8, .layers = 4, .heads = 2}, 3, 5), 12 * (products + attention));
}

TEST(Compute, OfPriorsCountsWhatEntersAndLeaves) {
  const nn::TransformerConfig transformer{.width = 8, .layers = 2, .heads = 2};
  const prior::DiffusionPriorConfig diffusion{.embed_dim = 6,
                                              .transformer = transformer,
                                              .text_source = prior::PriorText::clip,
                                              .text_context = 5,
                                              .text_width = 4};
  EXPECT_EQ(training_flops(diffusion),
            3 * (transformer_flops(transformer, 9, 9) + 5 * 2 * 4 * 8 + 3 * 2 * 6 * 8));
  const prior::AutoregressivePriorConfig ar{.embed_dim = 6,
                                            .transformer = transformer,
                                            .text_source = prior::PriorText::clip,
                                            .text_width = 4,
                                            .buckets = 10};
  // z_t, the dot product and two of three codes are read; each layer projects five tokens to keys and values.
  EXPECT_EQ(training_flops(ar, 3, 5),
            3 * (transformer_flops(transformer, 4, 9) + 2 * 5 * 2 * 4 * 16 + 2 * 6 * 8 + 3 * 2 * 8 * 10));
}

TEST(Compute, CurvesCrossOnALogarithmicScale) {
  const std::vector<double> x{1, 100, 10000}, y{8, 4, 2};
  EXPECT_NEAR(*crossing(x, y, 6), 10, 1e-9);
  EXPECT_NEAR(*crossing(x, y, 2), 10000, 1e-6);
  EXPECT_DOUBLE_EQ(*crossing(x, y, 9), 1);
  EXPECT_FALSE(crossing(x, y, 1).has_value());
}

}  // namespace
}  // namespace unclip::study
