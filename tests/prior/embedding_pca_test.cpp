#include "unclip/prior/embedding_pca.h"

#include <gmock/gmock.h>

#include "support/close.h"
#include "support/error_of.h"
#include "support/fixture.h"
#include "unclip/base/noise.h"
#include "unclip/prior/embedding_code.h"

namespace unclip::prior {
namespace {

using testing::Fixture;
using torch::Tensor;

class EmbeddingPca : public ::testing::Test {
 protected:
  /// In batches of other sizes, as a loader would give them.
  PrincipalComponents fitted() const {
    EmbeddingMoments moments(10);
    for (const auto& [first, last] : {std::pair{0, 7}, {7, 7}, {7, 8}, {8, 200}, {200, 300}})
      moments.add(z_.slice(0, first, last));
    EXPECT_EQ(moments.count(), 300);
    return principal_components(moments);
  }
  EmbeddingCode code() const {
    const PrincipalComponents pca = fitted();
    return {.mean = pca.mean.to(torch::kFloat32),
            .basis = pca.basis.slice(0, 0, 6).to(torch::kFloat32),
            .std = pca.eigenvalues.slice(0, 0, 6).sqrt().to(torch::kFloat32),
            .buckets = 32,
            .range = 2.5};
  }
  Fixture fixture_{"prior/embedding_code"};
  Tensor z_ = fixture_["in.z"];
};

TEST_F(EmbeddingPca, EqualsNumPysSingularValueDecomposition) {
  const PrincipalComponents pca = fitted();
  constexpr testing::Tolerance kDouble{.absolute = 1e-12, .relative = 1e-10};
  EXPECT_CLOSE(pca.mean, fixture_["out.mean"], kDouble);
  EXPECT_CLOSE(pca.eigenvalues, fixture_["out.eigenvalues"], kDouble);
  EXPECT_CLOSE(pca.basis, fixture_["out.basis"], kDouble);
  EXPECT_TRUE((pca.eigenvalues.diff() <= 0).all().item<bool>());
}

TEST_F(EmbeddingPca, KeepsAsManyComponentsAsTheErrorNeeds) {
  const Tensor eigenvalues = fitted().eigenvalues, errors = fixture_["out.reconstruction_error"];
  for (int64_t kept = 0; kept <= 10; ++kept) {
    const double error = errors[kept].item<double>();
    EXPECT_NEAR(reconstruction_error(eigenvalues, kept), error, 1e-12) << kept;
    EXPECT_EQ(components_for(eigenvalues, error + 1e-9), kept);
    if (kept == 0) continue;
    EXPECT_EQ(components_for(eigenvalues, errors[kept - 1].item<double>() - 1e-9), kept);
  }
}

TEST(EmbeddingMoments, KeepDigitsFarFromTheOrigin) {
  EmbeddingMoments near(3), far(3);
  for (uint64_t batch = 0; batch < 20; ++batch) {
    const Tensor z = normal_noise({1, batch, 0}, {50, 3}).to(torch::kFloat64);
    near.add(z);
    far.add(z + 1e6);
  }
  EXPECT_CLOSE(far.covariance(), near.covariance(), {.absolute = 1e-8, .relative = 0});
  EXPECT_THAT(testing::error_of(ErrorKind::shape,
                                [&] {
                                  near.add(torch::zeros({2, 4}));
                                }),
              ::testing::HasSubstr("expected [N, 3]"));
  EXPECT_THAT(testing::error_of(ErrorKind::data, [] { EmbeddingMoments(3).covariance(); }),
              ::testing::HasSubstr("2 or more"));
}

TEST_F(EmbeddingPca, CodesEqualNumPys) {
  const Tensor codes = code().encode(z_);
  // A coordinate on an edge may fall to either side in float32: none of 1,800 does here.
  EXPECT_TRUE(torch::equal(codes, fixture_["out.codes"]));
  EXPECT_EQ(codes.min().item<int64_t>(), 0);
  EXPECT_EQ(codes.max().item<int64_t>(), 31);
  EXPECT_CLOSE(code().decode(codes), fixture_["out.decoded"], {.absolute = 1e-6, .relative = 1e-6});
}

TEST_F(EmbeddingPca, CodesLoseAtMostHalfABucket) {
  const EmbeddingCode c = code();
  const Tensor score = (z_.to(torch::kFloat32) - c.mean).matmul(c.basis.t()) / c.std;
  const Tensor rebuilt = (c.decode(c.encode(z_)) - c.mean).matmul(c.basis.t()) / c.std;
  const Tensor error = (rebuilt - score).abs(), inside = score.abs() <= c.range;
  const double half_bucket = c.range / static_cast<double>(c.buckets);
  EXPECT_LE(error.masked_select(inside).max().item<double>(), half_bucket * (1 + 1e-4));
  EXPECT_GT(error.masked_select(inside).max().item<double>(), half_bucket * 0.9);  // the bound is tight
  // Beyond the range: the way to the middle of the outermost bucket.
  EXPECT_GT(inside.logical_not().sum().item<int64_t>(), 5);
  EXPECT_CLOSE(error.masked_select(~inside), (score.abs() - c.range + half_bucket).masked_select(~inside));
}

TEST_F(EmbeddingPca, CodesAreTheirOwnCodes) {
  const Tensor codes = torch::arange(32).unsqueeze(1).expand({32, 6}).contiguous();
  EXPECT_TRUE(torch::equal(code().encode(code().decode(codes)), codes));
}

}  // namespace
}  // namespace unclip::prior
