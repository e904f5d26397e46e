#include "unclip/manipulate/text_diff.h"

#include <gmock/gmock.h>

#include "support/close.h"
#include "support/error_of.h"
#include "support/fixture.h"
#include "unclip/base/noise.h"

namespace unclip::manipulate {
namespace {

using testing::error_of;
using torch::Tensor;

constexpr testing::Tolerance kFloat{.absolute = 1e-6, .relative = 2e-6};

class TextDiff : public ::testing::Test {
 protected:
  testing::Fixture fixture_{"manipulate/reference"};
  Tensor z_t_ = fixture_["diff.z_t"], z_t0_ = fixture_["diff.z_t0"], z_i_ = fixture_["diff.z_i"];
};

TEST_F(TextDiff, EqualsNumPy) { EXPECT_CLOSE(text_diff(z_t_, z_t0_), fixture_["diff.z_d"], kFloat); }

TEST_F(TextDiff, EditEqualsSciPyAndKeepsTheLength) {
  const Tensor fractions = fixture_["fractions"], out = fixture_["diff.out"];
  for (int64_t i = 0; i < fractions.size(0); ++i)
    EXPECT_CLOSE(edited(z_i_, fixture_["diff.z_d"], fractions[i].item<double>()), out[i], kFloat) << i;
  EXPECT_CLOSE(edited(z_i_, text_diff(z_t_, z_t0_), 0.4).norm(2, 1), z_i_.norm(2, 1), kFloat);
}

TEST_F(TextDiff, NothingChangesAtZero) {
  EXPECT_CLOSE(edited(z_i_, text_diff(z_t_, z_t0_), 0), z_i_, {.absolute = 0, .relative = 1e-12});
}

TEST_F(TextDiff, IsAUnitVectorThatTurnsAroundWithItsCaptions) {
  const Tensor there = text_diff(z_t_, z_t0_), back = text_diff(z_t0_, z_t_);
  EXPECT_CLOSE(there.norm(2, 1), torch::ones({2}), kFloat);
  EXPECT_CLOSE(back, -there, kFloat);
}

TEST_F(TextDiff, DoesNotDependOnTheLengthsOfEmbeddings) {
  EXPECT_CLOSE(text_diff(z_t_ * 9, z_t0_ * 0.1), text_diff(z_t_, z_t0_), kFloat);
}

TEST_F(TextDiff, EditApproachesTheDirection) {
  const Tensor z_d = text_diff(z_t_, z_t0_);
  double before = -2;
  for (const double theta : {0.0, 0.25, 0.5, 1.0}) {
    const double cosine = torch::cosine_similarity(edited(z_i_, z_d, theta), z_d, 1).min().item<double>();
    EXPECT_GT(cosine, before);
    before = cosine;
  }
  EXPECT_NEAR(before, 1.0, 1e-6);
}

TEST_F(TextDiff, SameCaptionsHaveNoDirection) {
  EXPECT_THAT(error_of(ErrorKind::numeric, [&] { text_diff(z_t_, z_t_ * 2); }),
              ::testing::HasSubstr("mean the same"));
}

}  // namespace
}  // namespace unclip::manipulate
