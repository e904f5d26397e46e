#include "unclip/manipulate/slerp.h"

#include <gmock/gmock.h>

#include <cmath>

#include "support/close.h"
#include "support/error_of.h"
#include "support/fixture.h"
#include "unclip/base/noise.h"

namespace unclip::manipulate {
namespace {

using testing::error_of;
using torch::Tensor;

/// Against SciPy's geometric_slerp (unit vectors) and NumPy (any length): every fraction of the fixture.
void expect_recorded(const std::string& name) {
  const testing::Fixture fixture("manipulate/reference");
  const Tensor fractions = fixture["fractions"], out = fixture[name + ".out"];
  for (int64_t i = 0; i < fractions.size(0); ++i) {
    const double theta = fractions[i].item<double>();
    EXPECT_CLOSE(slerp(fixture[name + ".a"], fixture[name + ".b"], theta), out[i],
                 {.absolute = 1e-12, .relative = 1e-12})
        << name << " at " << theta;
  }
}

TEST(Slerp, EqualsSciPyOnUnitVectors) { expect_recorded("unit"); }

TEST(Slerp, TakesEachPictureAsOneVector) { expect_recorded("latent"); }

TEST(Slerp, EndsAreTheInputs) {
  const Tensor a = normal_noise({1, 1, 0}, {3, 2, 4, 4}), b = normal_noise({1, 2, 0}, {3, 2, 4, 4});
  EXPECT_CLOSE(slerp(a, b, 0), a, {.absolute = 1e-7, .relative = 0});
  EXPECT_CLOSE(slerp(a, b, 1), b, {.absolute = 1e-7, .relative = 0});
  EXPECT_EQ(slerp(a, b, 0.5).scalar_type(), torch::kFloat32);
}

TEST(Slerp, ThetaIsAFractionOfTheAngle) {
  const Tensor a = torch::tensor({{1.0, 0.0}}, torch::kFloat64),
               b = torch::tensor({{0.0, 2.0}}, torch::kFloat64);
  const Tensor third = slerp(a, b, 1.0 / 3);  // of 90 degrees
  EXPECT_CLOSE(third, torch::tensor({{std::cos(M_PI / 6), 2 * std::sin(M_PI / 6)}}, torch::kFloat64),
               {.absolute = 1e-12, .relative = 0});
}

TEST(Slerp, NearlyParallelVectorsAreJoinedByALine) {
  const Tensor a = normal_noise({1, 1, 0}, {2, 8});
  EXPECT_TRUE(torch::equal(slerp(a, a, 0.3), a));
  const Tensor near = a * (1 + 1e-8);
  EXPECT_TRUE(slerp(a, near, 0.5).isfinite().all().item<bool>());
  EXPECT_CLOSE(slerp(a, 3 * a, 0.5), 2 * a, {.absolute = 1e-6, .relative = 0});  // one direction, two lengths
}

TEST(Slerp, NoWayBetweenOppositeOrZeroVectors) {
  const Tensor a = normal_noise({1, 1, 0}, {2, 8});
  EXPECT_THAT(error_of(ErrorKind::numeric, [&] { slerp(a, -a, 0.5); }), ::testing::HasSubstr("opposite"));
  EXPECT_THAT(error_of(ErrorKind::numeric, [&] { slerp(a, torch::zeros_like(a), 0.5); }),
              ::testing::HasSubstr("zero"));
  EXPECT_THAT(error_of(ErrorKind::shape, [&] { slerp(a, a.slice(1, 0, 4), 0.5); }),
              ::testing::HasSubstr("expected equal ones"));
}

TEST(Fractions, AreEven) {
  EXPECT_EQ(fractions(5, 1.0), (std::vector<double>{0, 0.25, 0.5, 0.75, 1}));
  EXPECT_EQ(fractions(3, 0.5), (std::vector<double>{0, 0.25, 0.5}));
  EXPECT_EQ(fractions(1, 0.5), (std::vector<double>{0}));
}

}  // namespace
}  // namespace unclip::manipulate
