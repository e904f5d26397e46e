#include "unclip/manipulate/principal_components.h"

#include <gmock/gmock.h>

#include "support/close.h"
#include "support/error_of.h"
#include "support/fixture.h"
#include "unclip/base/noise.h"

namespace unclip::manipulate {
namespace {

using testing::error_of;
using torch::Tensor;

constexpr testing::Tolerance kDouble{.absolute = 1e-12, .relative = 1e-10};

class PrincipalComponentsTest : public ::testing::Test {
 protected:
  testing::Fixture fixture_{"manipulate/reference"};
  PrincipalComponents components_ = fit_principal_components(fixture_["pca.z"]);
  Tensor probe_ = fixture_["pca.probe"];
};

TEST_F(PrincipalComponentsTest, EqualNumPysSingularValues) {
  EXPECT_CLOSE(components_.eigenvalues, fixture_["pca.eigenvalues"], kDouble);
  EXPECT_CLOSE(components_.basis.mm(components_.basis.t()), torch::eye(8, torch::kFloat64), kDouble);
}

TEST_F(PrincipalComponentsTest, ProjectionsEqualNumPys) {
  for (const int64_t k : {1, 3, 8})
    EXPECT_CLOSE(project(probe_, components_, k), fixture_["pca.out." + std::to_string(k)], kDouble) << k;
}

TEST_F(PrincipalComponentsTest, AllComponentsAreTheIdentity) {
  EXPECT_CLOSE(project(probe_, components_, 8), probe_, kDouble);
  const Tensor single = probe_.to(torch::kFloat32);
  EXPECT_CLOSE(project(single, components_, 8), single, {.absolute = 1e-6, .relative = 0});
}

TEST_F(PrincipalComponentsTest, MoreComponentsKeepMoreOfTheData) {
  const Tensor z = fixture_["pca.z"], unit = z / z.norm(2, 1, true);
  double before = 1e9;
  for (int64_t k = 1; k <= 8; ++k) {
    const double error = (project(unit, components_, k) - unit).square().sum().item<double>();
    // What is lost is the variance of the components left out.
    EXPECT_NEAR(error, 39 * components_.eigenvalues.slice(0, k).sum().item<double>(), 1e-9);
    EXPECT_LT(error, before);
    before = error;
  }
  EXPECT_NEAR(prior::reconstruction_error(components_.eigenvalues, 8), 0.0, 1e-12);
}

TEST_F(PrincipalComponentsTest, FewEmbeddingsHaveFewComponents) {
  EXPECT_EQ(count(fit_principal_components(fixture_["pca.z"].slice(0, 0, 4))), 3);
  EXPECT_THAT(error_of(ErrorKind::data, [&] { fit_principal_components(fixture_["pca.z"].slice(0, 0, 1)); }),
              ::testing::HasSubstr("need 2 embeddings"));
}

TEST_F(PrincipalComponentsTest, CountsOutsideAreErrors) {
  EXPECT_THAT(error_of(ErrorKind::usage, [&] { project(probe_, components_, 9); }),
              ::testing::HasSubstr("9 components were asked for, expected 1 to 8"));
  error_of(ErrorKind::usage, [&] { project(probe_, components_, 0); });
  error_of(ErrorKind::shape, [&] { project(probe_.slice(1, 0, 4), components_, 2); });
}

}  // namespace
}  // namespace unclip::manipulate
